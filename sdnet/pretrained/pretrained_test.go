package pretrained

import (
	"strings"
	"testing"
)

// The weights are part of every binary and every clone.
const limit = 8_000_000 // bytes, all together

func TestOpen(t *testing.T) {
	total := 0
	for _, name := range Names() {
		f, err := Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if f.Path != Prefix+name || !strings.Contains(f.Metadata["config"], `"`+name+`"`) {
			t.Errorf("%s: path %s, config %s", name, f.Path, f.Metadata["config"])
		}
		for _, tensor := range f.Tensors {
			if strings.HasPrefix(tensor.Name, "velocity/") {
				t.Errorf("%s holds the optimiser's %s", name, tensor.Name)
			}
		}
		text, _ := weights.ReadFile("weights/" + name + extension)
		total += len(text)
	}
	if len(Names()) != 3 || total > limit {
		t.Errorf("%d networks of %d bytes", len(Names()), total)
	}
}

func TestUnknownName(t *testing.T) {
	if _, err := Open("sdnet180"); err == nil || !strings.Contains(err.Error(), "sdnet180") || !strings.Contains(err.Error(), Names()[0]) {
		t.Errorf("the error is %v", err)
	}
}
