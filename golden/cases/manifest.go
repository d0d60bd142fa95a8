package cases

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"

	"sdref/golden"
	"sdref/golden/judge"
	"sdref/golden/precision"
)

// Schema is the version of the manifest's form.
const Schema = 1

// Manifest is what is stored of all cases beside their expected values: testdata/manifest.json, which `go
// test -update` writes.
type Manifest struct {
	Schema int `json:"schema"`
	// what each part is, where it comes from, and why it is as large as it is
	About map[string]string `json:"about"`
	Cases []Record          `json:"cases"`
}

// Record is what is stored of one case.
type Record struct {
	ID     string             `json:"id"`
	Kind   string             `json:"kind"`
	Flags  []string           `json:"flags"`
	Why    string             `json:"why"`
	Attrs  map[string]any     `json:"attrs"`
	Inputs []InputRecord      `json:"inputs"`
	Facts  map[string]float64 `json:"facts,omitempty"` // known from elsewhere: see Facts
	SHA256 string             `json:"sha256"`          // of the file of expected values, ID.safetensors
	Nodes  []NodeRecord       `json:"nodes"`
}

// InputRecord is an input with its rule and the SHA-256 of its values, as little-endian float64.
type InputRecord struct {
	Name string `json:"name"`
	golden.Fill
	Reversed []int  `json:"reversed,omitempty"`
	NaN      []int  `json:"nan,omitempty"`
	SHA256   string `json:"sha256"`
}

// NodeRecord is a node with the SHA-256 of its values, as little-endian float64, and its calibrated bounds:
// Local, End.
type NodeRecord struct {
	Name     string                           `json:"name"`
	Required bool                             `json:"required,omitempty"` // its values are in the file
	SHA256   string                           `json:"sha256"`
	Bounds   map[precision.Profile][2]float64 `json:"bounds,omitempty"`
}

//go:embed testdata/manifest.json
var embedded []byte

// Stored returns the manifest.
var Stored = sync.OnceValue(func() *Manifest {
	m := &Manifest{}
	if err := json.Unmarshal(embedded, m); err != nil || m.Schema != Schema {
		panic(fmt.Sprintf("cases: the manifest was not written by go test -update: schema %d, %v", m.Schema,
			err))
	}
	return m
})

// record returns what is stored of a case, nil if nothing is.
func record(id string) *Record {
	m := Stored()
	for i := range m.Cases {
		if m.Cases[i].ID == id {
			return &m.Cases[i]
		}
	}
	return nil
}

// Bounds returns the calibrated bounds of a case, by node and profile. A bound of 0 means that the node is
// exact (see Exact); a node or profile without one has its provable bound alone.
func Bounds(id string) judge.Bounds {
	bounds := judge.Bounds{}
	if r := record(id); r != nil {
		for _, n := range r.Nodes {
			bounds[n.Name] = map[precision.Profile]judge.Bound{}
			for profile, b := range n.Bounds {
				bounds[n.Name][profile] = judge.Bound{Local: b[0], End: b[1]}
			}
		}
	}
	return bounds
}

// Facts returns what is known of a power iteration from elsewhere: largest_eigenvalue, that of A*A by dense
// linear algebra, and converged, 1 if the published rule would have stopped after the case's rounds. Nil for
// other kinds.
func Facts(id string) map[string]float64 {
	if r := record(id); r != nil {
		return r.Facts
	}
	return nil
}
