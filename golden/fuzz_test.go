package golden

import "testing"

// FuzzCase: whatever the JSON file of a case holds is taken or refused, and what is taken is written and read again as it was.
func FuzzCase(f *testing.F) {
	for _, text := range []string{small, `{"name": "a", "kind": "b"}`, `{"name": "a", "kind": "b", "inputs": {"x": {"shape": [], "seed": 1, "scale": 1}}}`,
		`{"name": "a", "kind": "b", "attrs": null}`, `{"name": "a", "kind": "b", "inputs": {"x": {"shape": [9223372036854775807, 2], "seed": -1, "scale": 1e999}}}`,
		`[]`, `null`, `{"name": 1}`, "", `{"name": "a", "kind": "b", "scalars": {"s": {"s": {"s": [null]}}}}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parse("case.json", []byte(text))
		if err != nil {
			return
		}
		var saved [2][]byte
		for i := range saved {
			if saved[i], err = c.encode(); err != nil {
				t.Fatal(err)
			}
			if c, err = parse("again.json", saved[i]); err != nil {
				t.Fatalf("what was read and written is refused: %v\n%s", err, saved[i])
			}
		}
		if string(saved[0]) != string(saved[1]) {
			t.Errorf("written\n%s\nthen\n%s", saved[0], saved[1])
		}
	})
}
