package cases

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"sdref/golden"
	"sdref/golden/graph"
	"sdref/golden/precision"
	"sdref/golden/simulate"
	"sdref/internal/atomicfile"
	"sdref/tensor/safetensors"
)

var (
	update = flag.Bool("update", false,
		"write the golden files anew, with bounds from simulated runs: a quarter of an hour")
	only = flag.String("only", "",
		"with -update: the cases whose id this regular expression matches, the others staying as they are")
)

// runs is how many honest machines the calibrated bounds come from.
const runs = 32

var about = map[string]string{
	"inputs": "by rule, see golden.Fill; then turned round along the axes reversed, then NaN at the " +
		"elements nan. All are exact in float32.",
	"expected": "all nodes in float64 by package graph, the same bits on every machine. Tests set them " +
		"against packages csc, autodiff and sdnet and the " +
		"values of the authors' code (golden/testdata/official), to 1e-10, and a sample of every " +
		"operator against its formula in math/big, to 2^-49 of an element's magnitude.",
	"provable": "not stored: precision.Profile.Limit, Floor and Winograd, times graph.Value's Magnitude " +
		"or Spread.",
	"bounds": fmt.Sprintf("calibrated, in the profile's units: %d times the worst of %d simulated honest "+
		"runs (package simulate) on the very case. The first from the run's own "+
		"inputs of the node, per element; the second against the expected values, as a share of the "+
		"tensor's largest. 0 where cases.Exact proves that no order and no fusion rounds.",
		simulate.Margin, runs),
	"facts": "largest_eigenvalue: of A*A written out as a matrix, by gonum; converged: 1 if the " +
		"published rule would have stopped after the case's rounds.",
	"sha256": "of little-endian float64 values, row-major; of a case: of its file.",
}

const folder = "testdata"

// TestGolden compares every node of every case with the stored one, to the bit. A case that differs leaves
// ID.safetensors.got.
func TestGolden(t *testing.T) {
	if *update {
		writeGolden(t)
		return
	}
	known := map[string]bool{"manifest.json": true}
	for _, c := range All() {
		known[c.ID+".safetensors"] = true
		if problem := compareGolden(c); problem != "" {
			t.Errorf("%s: %s; if that is meant, write it anew with -update", c.ID, problem)
		}
	}
	for _, r := range Stored().Cases {
		if Find(r.ID) == nil {
			t.Errorf("%s is in the manifest and not in the table", r.ID)
		}
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !known[f.Name()] && filepath.Ext(f.Name()) != ".got" {
			t.Errorf("%s: no case writes this file", f.Name())
		}
	}
}

// compareGolden says how a case differs from what is stored, empty if not at all.
func compareGolden(c *graph.Case) string {
	stored := record(c.ID)
	if stored == nil {
		return "not in the manifest"
	}
	fresh, file, err := freeze(c)
	if err != nil {
		return err.Error()
	}
	path := filepath.Join(folder, c.ID+".safetensors")
	if problem := compareFile(path, file); problem != "" {
		if err := safetensors.Write(path+".got", file); err != nil {
			return err.Error()
		}
		return problem
	}
	fresh.Facts = stored.Facts // TestLargestEigenvalue looks at them
	for i := range fresh.Nodes {
		if i < len(stored.Nodes) {
			fresh.Nodes[i].Bounds = stored.Nodes[i].Bounds
		}
	}
	for i, n := range fresh.Nodes {
		if i >= len(stored.Nodes) || !reflect.DeepEqual(n, stored.Nodes[i]) {
			return fmt.Sprintf("node %s differs from what the manifest says", n.Name)
		}
	}
	if got, want := encode(fresh), encode(*stored); !bytes.Equal(got, want) {
		return fmt.Sprintf("the manifest says\n%s, it is\n%s", want, got)
	}
	return ""
}

// compareFile says how expected values differ from those of a file.
func compareFile(path string, want *safetensors.File) string {
	file, err := safetensors.Read(path)
	if err != nil {
		return err.Error()
	}
	if len(file.Tensors) != len(want.Tensors) {
		return fmt.Sprintf("%s: %d tensors, want %d", path, len(file.Tensors), len(want.Tensors))
	}
	for _, w := range want.Tensors {
		old, err := file.GetShaped(w.Name, w.Shape...)
		if err != nil {
			return err.Error()
		}
		before, _ := safetensors.Values[float64](old)
		now, _ := safetensors.Values[float64](w)
		if d := golden.Compare(now, before); !d.Within(0) {
			return golden.Judge(path, w.Name, d, 0).String()
		}
	}
	return ""
}

// freeze computes a case: what the manifest says of it, without bounds and facts, and the file of its
// required nodes.
func freeze(c *graph.Case) (Record, *safetensors.File, error) {
	in := c.Generate()
	values, err := c.Evaluate(in)
	if err != nil {
		return Record{}, nil, err
	}
	r := Record{ID: c.ID, Kind: c.Kind, Flags: c.Flags, Why: c.Why, Attrs: c.Attrs}
	for _, i := range c.Inputs {
		r.Inputs = append(r.Inputs, InputRecord{i.Name, i.Fill, i.Reversed, i.NaN, digest(in[i.Name].Data)})
	}
	file := &safetensors.File{}
	for _, n := range c.Nodes {
		r.Nodes = append(r.Nodes, NodeRecord{Name: n.Name, Required: n.Required,
			SHA256: digest(values[n.Name].Data)})
		if n.Required {
			file.Tensors = append(file.Tensors, safetensors.New(n.Name, n.Shape, values[n.Name].Data))
		}
	}
	hash := sha256.New()
	if err := safetensors.Encode(hash, file); err != nil {
		return Record{}, nil, err
	}
	r.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return r, file, nil
}

func digest(values []float64) string {
	hash := sha256.New()
	if err := binary.Write(hash, binary.LittleEndian, values); err != nil {
		panic(err) // neither a hash nor float64 gives one
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// writeGolden writes the files anew.
func writeGolden(t *testing.T) {
	wanted, err := regexp.Compile(*only)
	if err != nil {
		t.Fatal(err)
	}
	m := Manifest{Schema: Schema, About: about}
	for _, c := range All() {
		if !wanted.MatchString(c.ID) {
			if old := record(c.ID); old != nil {
				m.Cases = append(m.Cases, *old)
			}
			continue
		}
		r, file, err := freeze(c)
		if err != nil {
			t.Fatal(err)
		}
		r.Facts = facts(c)
		if err := calibrate(c, &r); err != nil {
			t.Fatal(err)
		}
		m.Cases = append(m.Cases, r)
		if err := safetensors.Write(filepath.Join(folder, c.ID+".safetensors"), file); err != nil {
			t.Fatal(err)
		}
		t.Log(c.ID)
	}
	err = atomicfile.Write(filepath.Join(folder, "manifest.json"), func(w io.Writer) error {
		return writeManifest(w, &m)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// calibrate fills in the bounds: 0 where a node is exact, otherwise what simulated honest runs need.
func calibrate(c *graph.Case, r *Record) error {
	in := c.Generate()
	values, err := c.Evaluate(in)
	if err != nil {
		return err
	}
	for i := range r.Nodes {
		r.Nodes[i].Bounds = map[precision.Profile][2]float64{}
	}
	for _, p := range precision.Profiles {
		bounds, err := simulate.Calibrate(c, in, values, p, runs)
		if err != nil {
			return err
		}
		exact := Exact(c, in, values, p)
		for i, n := range r.Nodes {
			b := [2]float64{roundUp(bounds[n.Name].Local), roundUp(bounds[n.Name].End)}
			if c.Has("exact") && exact[n.Name] {
				b = [2]float64{}
			}
			if !math.IsInf(b[0], 0) && !math.IsInf(b[1], 0) { // beyond the format: nothing was measured
				r.Nodes[i].Bounds[p] = b
			}
		}
	}
	return nil
}

// roundUp keeps three digits or so.
func roundUp(v float64) float64 {
	if v == 0 || math.IsInf(v, 0) {
		return v
	}
	_, exponent := math.Frexp(v)
	return math.Ldexp(math.Ceil(math.Ldexp(v, 8-exponent)), exponent-8)
}

// writeManifest writes one line for each node, so that changes can be read.
func writeManifest(w io.Writer, m *Manifest) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\"schema\": %d,\n \"about\": {", m.Schema)
	for i, key := range slices.Sorted(maps.Keys(m.About)) {
		fmt.Fprintf(&b, "%s\n  %s: %s", comma(i), encode(key), encode(m.About[key]))
	}
	b.WriteString("},\n \"cases\": [")
	for i, r := range m.Cases {
		nodes := r.Nodes
		r.Nodes = nil
		head := bytes.TrimSuffix(encode(r), []byte(`"nodes":null}`))
		fmt.Fprintf(&b, "%s\n{%s\"nodes\":[", comma(i), head[1:])
		for j, n := range nodes {
			fmt.Fprintf(&b, "%s\n %s", comma(j), encode(n))
		}
		b.WriteString("]}")
	}
	b.WriteString("\n]}\n")
	_, err := b.WriteTo(w)
	return err
}

func comma(i int) string {
	if i > 0 {
		return ","
	}
	return ""
}

func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // the types here all have a JSON form
	}
	return text
}
