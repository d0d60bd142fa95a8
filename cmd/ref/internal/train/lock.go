package train

import "path/filepath"

// lockIn is the file by which a process has the folder of a run to itself.
func lockIn(folder string) string { return filepath.Join(folder, "train.lock") }
