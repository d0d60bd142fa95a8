package main

import "path/filepath"

// checkpointIn is the checkpoint of the run in a folder, logIn its table of epochs.
func checkpointIn(folder string) string { return filepath.Join(folder, "checkpoint.safetensors") }
func logIn(folder string) string        { return filepath.Join(folder, "epochs.csv") }

// stepsIn and eventsIn are the files of the run in a folder.
func stepsIn(folder string) string  { return filepath.Join(folder, "steps.csv") }
func eventsIn(folder string) string { return filepath.Join(folder, "events.out.tfevents.ref") }
