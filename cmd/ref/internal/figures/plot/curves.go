package plot

import (
	"path/filepath"
	"slices"

	"sdref/internal/atomicfile"
	"sdref/sdnet/training"
)

// SaveCurves draws a run's loss and accuracy by epoch as loss.png and accuracy.png in a folder, once there are two epochs between which a
// line can go.
func SaveCurves(history []training.Epoch, folder string) error {
	if len(history) < 2 {
		return nil
	}
	loss, accuracy := LearningCurves(history)
	for name, chart := range map[string]Chart{"loss.png": loss, "accuracy.png": accuracy} {
		picture, err := chart.Render()
		if err != nil {
			return err
		}
		if err := atomicfile.WriteBytes(filepath.Join(folder, name), picture.PNG); err != nil {
			return err
		}
	}
	return nil
}

// LearningCurves are the loss and the accuracy, in %, of a run's epochs, of the training images and of those held out, if there are any.
func LearningCurves(history []training.Epoch) (loss, accuracy Chart) {
	series := func(name string) Series { return Series{Name: name, Mark: LinePoints} }
	trained, held := series("training"), series("held-out images")
	trainedRight, heldRight := trained, held
	for _, e := range history {
		k := float64(e.Epoch)
		trained.X, trained.Y = append(trained.X, k), append(trained.Y, e.Loss)
		trainedRight.X, trainedRight.Y = append(trainedRight.X, k), append(trainedRight.Y, 100*e.Accuracy)
		if e.Holdout.Images > 0 {
			held.X, held.Y = append(held.X, k), append(held.Y, e.Holdout.Loss)
			heldRight.X, heldRight.Y = append(heldRight.X, k), append(heldRight.Y, 100*e.Holdout.Accuracy)
		}
	}
	chart := func(label string, list ...Series) Chart {
		list = slices.DeleteFunc(list, func(s Series) bool { return len(s.X) == 0 })
		if len(list) == 1 {
			list[0].Name = "" // a single series needs no legend
		}
		return Chart{X: Axis{Label: "epoch", From: 0, To: float64(len(history))}, Y: Axis{Label: label}, Series: list}
	}
	return chart("loss", trained, held), chart("accuracy in %", trainedRight, heldRight)
}
