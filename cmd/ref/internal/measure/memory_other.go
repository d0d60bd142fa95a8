//go:build !unix

package measure

import "os"

// peakMemory is not known on this system.
func peakMemory(*os.ProcessState) float64 { return 0 }
