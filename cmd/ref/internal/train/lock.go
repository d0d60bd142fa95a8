package train

import (
	"fmt"
	"path/filepath"
)

// lockIn is the file by which a process has the folder of a run to itself.
func lockIn(folder string) string { return filepath.Join(folder, "train.lock") }

// lockedBy says who has the folder.
func lockedBy(folder, process string) error {
	if process == "" {
		process = "unknown"
	}
	return fmt.Errorf("%s: another ref train, process %s, is training this run: wait for it, stop it, or choose another folder", folder, process)
}
