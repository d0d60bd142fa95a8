package training

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"sdref/tensor/safetensors"
)

// checkpointOf is a checkpoint of a configuration written as text.
func checkpointOf(config string) *safetensors.File {
	return &safetensors.File{Path: "ck", Metadata: map[string]string{formatKey: formatValue, configKey: config, iterationKey: "0", historyKey: "[]", currentKey: "{}"}}
}

// A key that comes twice, or in other capitals, could be read in two ways; one that is not known is of a later version.
func TestConfigurationKeys(t *testing.T) {
	c := Demo()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	good := string(text)
	change := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %s in %s", old, good)
		}
		return strings.Replace(good, old, new, 1)
	}
	for config, says := range map[string]string{
		good: "", change(`{`, `{"later":{"a":1},`): "", " " + good: "",
		change(`"lambda":0.1`, `"lambda":0.1,"lambda":0.9`):      `key "lambda" comes twice`,
		change(`"lambda":0.1`, `"lambda":0.1,"l\u0061mbda":0.9`): `key "lambda" comes twice`,
		change(`"lambda":0.1`, `"LAMBDA":0.9`):                   `key "LAMBDA": it is spelled "lambda"`,
		change(`"lambda":0.1`, `"lambda":0.1,"Lambda":0.9`):      `key "Lambda"`,
		change(`{`, `{"\u017feed":7,`):                           `it is spelled "seed"`, // encoding/json takes the long s for an s
		change(`{`, `{"later":{"a":1,"a":2},`):                   `key "a" comes twice`,
		good[:20]:                                                "EOF", "": "EOF", "null": "epochs", "[]": "array", good + "{}": "after top-level value",
	} {
		got, _, err := ReadConfig(checkpointOf(config))
		if says == "" && (err != nil || got.Lambda != 0.1) {
			t.Errorf("%s: %v, %v", config, got, err)
		}
		if says != "" && (err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "ck: metadata config")) {
			t.Errorf("%s: %v, want an error that says %q", config, err, says)
		}
	}
	f := checkpointOf(good)
	f.Metadata[historyKey] = `[{"loss":1,"loss":2}]`
	if _, err := ReadHistory(f); err == nil || !strings.Contains(err.Error(), `"loss" comes twice`) {
		t.Error(err)
	}
}

// Weights without meaning are told by the tensor's name; a velocity may be 0 everywhere.
func TestCheckValues(t *testing.T) {
	for _, c := range []struct {
		tensor safetensors.Tensor
		says   string
	}{
		{safetensors.New("w", []int{2}, []float32{1, float32(math.NaN())}), "tensor w: element 1 is NaN"},
		{safetensors.New("a.running_var", []int{1}, []float64{-5}), "tensor a.running_var: element 0 is -5"},
		{safetensors.New("a.dn.weight", []int{2, 2}, []float32{1, 0, 0, 0}), "tensor a.dn.weight: atom 1 is 0"},
		{safetensors.New("velocity/a.dn.weight", []int{2, 2}, []float32{1, 0, 0, 0}), ""},
		{safetensors.New("velocity/a.dn.weight", []int{1, 1}, []float32{float32(math.Inf(1))}), "velocity/a.dn.weight: element 0 is +Inf"},
		{safetensors.New("n", nil, []int64{5}), ""}, {safetensors.New("n", nil, []int64{math.MaxInt64}), "float64 cannot hold"},
	} {
		err := CheckValues(&safetensors.File{Path: "ck", Tensors: []safetensors.Tensor{c.tensor}})
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), "ck: ") || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", c.tensor.Name, err, c.says)
		}
	}
}

// FuzzConfig: no text brings the reader down, and what it accepts is a configuration that passes its own check.
func FuzzConfig(f *testing.F) {
	text, err := json.Marshal(Demo())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add(strings.Replace(string(text), `"lambda":0.1`, `"lambda":0.1,"LAMBDA":0.9`, 1))
	f.Add(`{"network":"sdnet8_narrow","later":[{"a":[1,{}]}]}`)
	f.Fuzz(func(t *testing.T, config string) {
		c, _, err := ReadConfig(checkpointOf(config))
		if err == nil && c.Check() != nil {
			t.Errorf("accepted: %q", config)
		}
	})
}
