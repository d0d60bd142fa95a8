//go:build !unix

package trial

import "os/exec"

// ownGroup does nothing: this system has no process groups, or none that package syscall knows.
func ownGroup(*exec.Cmd) {}

func endGroup(*exec.Cmd) {}
