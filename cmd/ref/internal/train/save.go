package train

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"sdref/cmd/ref/internal/cli"
	"sdref/internal/atomicfile"
	"sdref/sdnet/training"
	"sdref/tensor"
)

// Curves draws a run's learning curves as pictures in its folder.
type Curves func(history []training.Epoch, folder string) error

// ifChanged draws only when there is something new to draw: a run may be saved after every step, and drawing takes longer than a step of a
// small network. Without curves it draws nothing.
func (draw Curves) ifChanged() Curves {
	var drawn []training.Epoch
	return func(history []training.Epoch, folder string) error {
		if draw == nil || slices.Equal(history, drawn) {
			return nil
		}
		drawn = slices.Clone(history)
		return draw(history, folder)
	}
}

// save writes a run's checkpoint, its learning curves and its table of epochs; each replaces the old file only when it is complete.
func save[T tensor.Float](r *training.Run[T], f trainFlags) error {
	if err := r.Save(cli.CheckpointIn(f.out)); err != nil {
		return fmt.Errorf("saving the run: %w (what was saved before is still there)", err)
	}
	return saveEpochs(r, f)
}

// bestIn is the checkpoint of the epoch after which the images held out were recognised best.
func bestIn(folder string) string { return filepath.Join(folder, "best.safetensors") }

// saveEpochs writes the learning curves and the table of epochs; for a run with images held out it has two more columns, empty for
// epochs without an evaluation.
func saveEpochs[T tensor.Float](r *training.Run[T], f trainFlags) error {
	if err := f.curves(r.History, f.out); err != nil {
		return err
	}
	return atomicfile.Write(cli.EpochsIn(f.out), func(w io.Writer) error {
		header := "epoch,images,loss,accuracy,rate"
		if r.Holdout > 0 {
			header += ",held_loss,held_accuracy"
		}
		_, err := fmt.Fprintln(w, header)
		for _, e := range r.History {
			row := fmt.Sprintf("%d,%d,%g,%g,%g", e.Epoch, e.Images, e.Loss, e.Accuracy, e.Rate)
			switch {
			case e.Holdout.Images > 0:
				row += fmt.Sprintf(",%g,%g", e.Holdout.Loss, e.Holdout.Accuracy)
			case r.Holdout > 0:
				row += ",,"
			}
			if err == nil {
				_, err = fmt.Fprintln(w, row)
			}
		}
		return err
	})
}
