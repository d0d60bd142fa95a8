package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"sdref/cmd/ref/internal/cli"
)

// remembered is what a call said that is no part of the run but holds when it is resumed. It is kept beside the checkpoint.
type remembered struct {
	Data     string `json:"data"`           // the images' folder, absolute, or shapes
	Test     *bool  `json:"test,omitempty"` // -test, if it was given
	KeepBest bool   `json:"keep_best,omitempty"`
}

// rememberedIn is the file of what was remembered of the run in a folder.
func rememberedIn(folder string) string { return filepath.Join(folder, "call.json") }

// remember writes down the flags that hold when the run is resumed.
func (f trainFlags) remember(c *cli.Call) error {
	m := remembered{Data: f.images, KeepBest: f.keepBest}
	if f.images != cli.ShapesName {
		path, err := filepath.Abs(f.images)
		if err != nil {
			return err
		}
		m.Data = path
	}
	if f.testGiven {
		m.Test = &f.test
	}
	return cli.WriteJSON(rememberedIn(f.out), m)
}

// recall sets the flags that were not given to what the run's last call said. A run without a note of it is as it ever was.
func (f *trainFlags) recall(c *cli.Call) error {
	text, err := os.ReadFile(rememberedIn(f.resume))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var m remembered
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("%s: %w", rememberedIn(f.resume), err)
	}
	if !c.Given("data") && m.Data != "" {
		f.images = m.Data
	}
	if !f.testGiven && m.Test != nil {
		f.test, f.testGiven = *m.Test, true
	}
	if !c.Given("keep-best") {
		f.keepBest = m.KeepBest
	}
	return nil
}
