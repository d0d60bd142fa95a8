package training

import (
	"fmt"

	"sdref/tensor/safetensors"
)

// ReadHistory reads the epochs that a checkpoint's run has completed; none if the checkpoint has no history.
func ReadHistory(f *safetensors.File) (history []Epoch, err error) {
	text, ok := f.Metadata[historyKey]
	if !ok {
		return nil, nil
	}
	if err := decodeStrictly(text, &history); err != nil {
		return nil, fmt.Errorf("%s: metadata %s: %w", f.Path, historyKey, err)
	}
	return history, nil
}
