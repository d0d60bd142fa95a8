package train

import (
	"fmt"
	"io"
	"path/filepath"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/figures/plot"
	"sdref/internal/atomicfile"
	"sdref/sdnet/training"
	"sdref/tensor"
)

// save writes a run's checkpoint and its table of epochs; each replaces the old file only when it is
// complete.
func save[T tensor.Float](r *training.Run[T], folder string) error {
	if err := r.Save(cli.CheckpointIn(folder)); err != nil {
		return fmt.Errorf("saving the run: %w (what was saved before is still there)", err)
	}
	return saveEpochs(r, folder)
}

// bestIn is the checkpoint of the epoch after which the images held out were recognised best.
func bestIn(folder string) string { return filepath.Join(folder, "best.safetensors") }

// saveCurves draws loss and accuracy by epoch as loss.png and accuracy.png, once there are two epochs between which a line can go.
func saveCurves(history []training.Epoch, folder string) error {
	if len(history) < 2 {
		return nil
	}
	loss, accuracy := plot.LearningCurves(history)
	for name, chart := range map[string]plot.Chart{"loss.png": loss, "accuracy.png": accuracy} {
		picture, err := chart.Render()
		if err != nil {
			return err
		}
		if err := atomicfile.Write(filepath.Join(folder, name), func(w io.Writer) error {
			_, err := w.Write(picture.PNG)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// saveEpochs writes the learning curves and the table of epochs; for a run with images held out it has two more columns, empty for
// epochs without an evaluation.
func saveEpochs[T tensor.Float](r *training.Run[T], folder string) error {
	if err := saveCurves(r.History, folder); err != nil {
		return err
	}
	return atomicfile.Write(cli.EpochsIn(folder), func(w io.Writer) error {
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
