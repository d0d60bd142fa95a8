package main

import (
	"fmt"
	"io"

	"sdref/internal/atomicfile"
	"sdref/sdnet/training"
	"sdref/tensor"
)

// save writes a run's checkpoint and its table of epochs; each replaces the old file only when it is complete.
func save[T tensor.Float](r *training.Run[T], folder string) error {
	if err := r.Save(checkpointIn(folder)); err != nil {
		return fmt.Errorf("saving the run: %w (what was saved before is still there)", err)
	}
	return atomicfile.Write(logIn(folder), func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "epoch,images,loss,accuracy,rate")
		for _, e := range r.History {
			if err == nil {
				_, err = fmt.Fprintf(w, "%d,%d,%g,%g,%g\n", e.Epoch, e.Images, e.Loss, e.Accuracy, e.Rate)
			}
		}
		return err
	})
}
