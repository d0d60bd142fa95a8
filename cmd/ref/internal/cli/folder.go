package cli

import "path/filepath"

// CheckpointIn is the checkpoint of the run in a folder.
func CheckpointIn(folder string) string { return filepath.Join(folder, "checkpoint.safetensors") }

// EpochsIn is the table of epochs of the run in a folder.
func EpochsIn(folder string) string { return filepath.Join(folder, "epochs.csv") }

// StepsIn is the table of steps of the run in a folder.
func StepsIn(folder string) string { return filepath.Join(folder, "steps.csv") }

// EventsIn is the file for TensorBoard of the run in a folder.
func EventsIn(folder string) string { return filepath.Join(folder, "events.out.tfevents.ref") }
