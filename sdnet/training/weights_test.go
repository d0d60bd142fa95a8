package training

import (
	"path/filepath"
	"testing"

	"sdref/tensor/safetensors"
)

// Weights of another program are a checkpoint that can be evaluated, says where it comes from, and cannot be
// resumed.
func TestWeights(t *testing.T) {
	r := start[float32](t, short(), drawn())
	step(t, r)
	f, err := Weights(r.Net(), r.Config, 3, "a letter", nil)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "weights.safetensors")
	if err := safetensors.Write(path, f); err != nil {
		t.Fatal(err)
	}
	f = reread(t, path)
	net, c, err := LoadNetwork[float32](f)
	if err != nil || c.Network != r.Network || net.Digest() != r.Net().Digest() {
		t.Errorf("%s, %v", c.Network, err)
	}
	if _, steps, err := ReadConfig(f); err != nil || steps != 3 || Source(f) != "a letter" ||
		Source(saved(t, r)) != "" {
		t.Errorf("%d steps, source %q, %v", steps, Source(f), err)
	}
	_, err = Resume[float32](f, drawn().Dataset())
	says(t, err, path, "0 epochs and 0 images do not make 3 steps")
	bad := r.Config
	bad.Epochs = 0
	_, err = Weights(r.Net(), bad, 7, "", nil)
	says(t, err, "epochs: 0")
}
