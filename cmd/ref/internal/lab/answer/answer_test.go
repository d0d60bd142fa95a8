package answer

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"sdref/csc"
	"sdref/csc/solve"
	"sdref/csc/spectrum"
	"sdref/tensor"
)

// answered is a response as a page reads it.
type answered struct {
	Error  string
	Values map[string]any
	Arrays []struct {
		Name, Type string
		Shape      []int
		Offset     int
	}
	data []byte
}

// ask asks and reads the response.
func ask(t testing.TB, l *Lab, request string) answered {
	t.Helper()
	response := l.Answer(context.Background(), []byte(request))
	if len(response) < 8 {
		t.Fatalf("%s: %d bytes", request, len(response))
	}
	length := int(binary.LittleEndian.Uint32(response))
	if length%align != 0 || 8+length > len(response) {
		t.Fatalf("%s: a header of %d bytes in %d", request, length, len(response))
	}
	var a answered
	if err := json.Unmarshal(response[8:8+length], &a); err != nil {
		t.Fatalf("%s: %v", request, err)
	}
	a.data = response[8+length:]
	return a
}

// float32s is one of its arrays.
func (a answered) float32s(t testing.TB, name string) *tensor.Tensor[float32] {
	t.Helper()
	for _, d := range a.Arrays {
		if d.Name == name && d.Type == "float32" && d.Offset%align == 0 {
			x := tensor.New[float32](d.Shape...)
			for i := range x.Data {
				x.Data[i] = math.Float32frombits(binary.LittleEndian.Uint32(a.data[d.Offset+4*i:]))
			}
			return x
		}
	}
	t.Fatalf("no array %s of float32: %+v, error %q", name, a.Arrays, a.Error)
	return nil
}

// The code is csc.Solve's, whatever lambda, iterations and sign; its terms are csc.Objective's, its certificate solve.Certify's.
func TestCodeIsFISTAs(t *testing.T) {
	l := New()
	n, err := l.network(slim)
	if err != nil {
		t.Fatal(err)
	}
	layer := n.ready.Layers[0].Layer
	for _, c := range []Request{
		{Picture: "shapes:0", Lambda: 0.1, Iterations: 2}, {Picture: "shapes:4", Lambda: 0.75, Iterations: 5}, {Picture: "shapes:9", Lambda: 0.2, Iterations: 3, Signed: true},
	} {
		c.Ask = "code"
		text, _ := json.Marshal(c)
		a := ask(t, l, string(text))
		x, err := signal[float32](c)
		if err != nil {
			t.Fatal(err)
		}
		s := layer.Settings
		s.Lambda, s.Iterations, s.Nonnegative = c.Lambda, c.Iterations, !c.Signed
		want := csc.Solve(x, layer.Weight, layer.StepSize.Data[0], s)
		if z := a.float32s(t, "z"); !tensor.SameBits(z, want) {
			t.Errorf("%s: element %d is another", text, tensor.FirstDifference(z, want))
		}
		if !tensor.SameBits(a.float32s(t, "az"), layer.Reconstruct(want)) || !tensor.SameBits(a.float32s(t, "x"), x) {
			t.Errorf("%s: A z or x", text)
		}
		total, sparsity, _, fidelity := csc.Objective(x, want, layer.Weight, s)
		if a.Values["objective"] != total || a.Values["sparsity"] != sparsity || a.Values["fidelity"] != fidelity ||
			a.Values["nonzeros"] != float64(tensor.CountNonzero(want)) || a.Values["digest"] != digest(want) {
			t.Errorf("%s: %v", text, a.Values)
		}
		c.Quick = true
		text, _ = json.Marshal(c)
		if q := ask(t, l, string(text)); !tensor.SameBits(q.float32s(t, "z"), want) || q.Values["digest"] != nil {
			t.Errorf("%s: where there is one row, another code, or digest %v", text, q.Values["digest"])
		}
		c.Certificate, c.Quick = true, false
		text, _ = json.Marshal(c)
		proof := ask(t, l, string(text)).Values["certificate"].(map[string]any)
		if p := solve.Certify(solve.FromSettings(x, layer.Weight, s), want); proof["gap"] != p.Gap || proof["objective"] != p.Objective {
			t.Errorf("%s: %v, want a gap of %g", text, proof, p.Gap)
		}
	}
}

// The cosines are what they are said to be: of norm 1, orthogonal, and as well-conditioned as can be.
func TestCosines(t *testing.T) {
	l := cosines()
	for i := range 18 {
		for j := range 18 {
			want := 0.0
			if i%9 == j%9 {
				want = []float64{1, -1}[(i/9+j/9)%2]
			}
			if got := tensor.Dot(l.Weight.Row(i), l.Weight.Row(j)); math.Abs(got-want) > 1e-14 {
				t.Errorf("<%d, %d> = %g, want %g", i, j, got, want)
			}
		}
	}
	r := spectrum.New(l.Weight, l.Height, l.Width, l.Geometry).Lanczos(256, 1e-12)
	if r.Value > 18+1e-9 || r.Value < 17.9 || l.StepSize.Data[0]*r.Value > 1 {
		t.Errorf("lambda_max %g, t %g", r.Value, l.StepSize.Data[0])
	}
}

// On the cosines FISTA closes the gap.
func TestGapCloses(t *testing.T) {
	a := ask(t, New(), `{"ask":"fista","dictionary":"cosines","picture":"shapes:0","solver":"fista","lambda":0.2,"mu":0.2,"iterations":120}`)
	list := a.Values["iterates"].([]any)
	last := list[len(list)-1].(map[string]any)
	if len(list) != 120 || last["relative"].(float64) > 1e-5 {
		t.Errorf("%d iterates, the last: %v", len(list), last)
	}
	nonzeros := 0.0
	for _, i := range list {
		v := i.(map[string]any)
		if nonzeros += v["born"].(float64) - v["died"].(float64); nonzeros != v["nonzeros"] {
			t.Fatalf("%g elements by births and deaths, %v", nonzeros, v)
		}
	}
}

// Matching is the adjoint of stamping, and the sum of its products.
func TestStampMatches(t *testing.T) {
	l := New()
	a := ask(t, l, `{"ask":"stamp","picture":"shapes:3","places":[{"atom":7,"row":31,"column":0,"value":1}],"at":{"atom":7,"row":31,"column":0}}`)
	value := a.Values["value"].(float64)
	if adjoint := tensor.Dot(a.float32s(t, "x"), a.float32s(t, "az")); math.Abs(adjoint-value) > 1e-5 {
		t.Errorf("<x, A e> = %g, A*x there is %g", adjoint, value)
	}
	if sum := tensor.Sum(a.float32s(t, "products")); math.Abs(sum-value) > 1e-5 {
		t.Errorf("products of %g, A*x there is %g", sum, value)
	}
	atom, paper := a.float32s(t, "atom"), a.float32s(t, "paper")
	for i, v := range atom.Data {
		if paper.Data[i/9*9+8-i%9] != v {
			t.Fatalf("tap %d is not flipped", i)
		}
	}
}

// The gradient is that of differences, where the code is far from its kinks.
func TestGradientIsDifference(t *testing.T) {
	l := New()
	a := ask(t, l, `{"ask":"gradient","dictionary":"cosines","picture":"shapes:0","solver":"fista","lambda":0.1,"mu":0.2,"at":{"atom":1,"row":8,"column":5}}`)
	dx := a.float32s(t, "dx2")
	layer := cosines()
	x, err := grey(Request{Picture: "shapes:0"})
	if err != nil {
		t.Fatal(err)
	}
	s := layer.Settings
	s.Lambda, s.Mu, s.Iterations, s.Variant = 0.1, 0.2, 2, csc.Paper
	at := func(i int, h float64) float64 {
		moved := x.Clone()
		moved.Data[i] += h
		return csc.Solve(moved, layer.Weight, layer.StepSize.Data[0], s).At(0, 1, 8, 5)
	}
	most := 0.0
	for i := range x.Data {
		most = max(most, math.Abs((at(i, 1e-6)-at(i, -1e-6))/2e-6-float64(dx.Data[i])))
	}
	if norm := math.Sqrt(tensor.SumSquares(dx)); most > 1e-6 || norm < 1e-3 {
		t.Errorf("a difference of %g, norm %g", most, norm)
	}
}

// What makes no sense is answered by a sentence that says what.
func TestRefusals(t *testing.T) {
	l := New()
	for request, says := range map[string]string{
		``: "no request", `[]`: "no request", `{"ask":"code"} {}`: "behind", `{"ask":"code","nose":1}`: "nose", `{"ask":"moon"}`: "moon", `{}`: "no question",
		`{"ask":"code","lambda":-1}`:                                       "lambda",
		`{"ask":"code","lambda":1e9,"picture":"shapes:0","iterations":2}`:  "lambda",
		`{"ask":"code","picture":"shapes:0","lambda":0.1}`:                 "0 iterations",
		`{"ask":"code","picture":"shapes:0","lambda":0.1,"iterations":11}`: "11 iterations",
		`{"ask":"code","picture":"shapes:200","iterations":1}`:             "shapes:199",
		`{"ask":"code","picture":"shapes:-1","iterations":1}`:              "shapes:199",
		`{"ask":"code","picture":"/etc/passwd","iterations":1}`:            "neither",
		`{"ask":"code","picture":"px:abc","iterations":1}`:                 "3072 bytes",
		`{"ask":"shrink"}`:                                                                "no values",
		`{"ask":"shrink","values":[1e300]}`:                                               "1e+300",
		`{"ask":"stamp","picture":"shapes:0","places":[{"atom":64}]}`:                     "atom 64",
		`{"ask":"stamp","picture":"shapes:0","at":{"row":32}}`:                            "row 32",
		`{"ask":"fista","dictionary":"moon","picture":"shapes:0"}`:                        "moon",
		`{"ask":"fista","dictionary":"stem","picture":"shapes:0","iterations":61}`:        "60",
		`{"ask":"fista","dictionary":"cosines","picture":"shapes:0","iterations":6}`:      "solver",
		`{"ask":"power","dictionary":"cosines","iterations":51}`:                          "50",
		`{"ask":"diverge","dictionary":"cosines","picture":"shapes:0","iterations":5}`:    "step",
		`{"ask":"path","dictionary":"cosines","picture":"shapes:0"}`:                      "lambda",
		`{"ask":"path","dictionary":"cosines","picture":"shapes:0","values":[-1]}`:        "negative",
		`{"ask":"gradient","dictionary":"cosines","picture":"shapes:0","solver":"fista"}`: "which element",
		`{"ask":"gradient","dictionary":"cosines","picture":"shapes:0","at":{}}`:          "solvers",
		`{"ask":"predict","picture":"shapes:0","network":"alexnet"}`:                      "alexnet",
		`{"ask":"predict","picture":"shapes:0","network":"sdnet8_slim","layer":"top"}`:    "top",
		`{"ask":"robust","picture":"shapes:0","noise":"pink","severity":1}`:               "pink",
		`{"ask":"robust","picture":"shapes:0","noise":"shot","severity":6}`:               "severity 6",
		`{"ask":"attack","picture":"shapes:0","iterations":11}`:                           "11 iterations",
		fmt.Sprintf(`{"ask":"shrink","values":[%s0]}`, strings.Repeat("0,", 2000)):        "2001",
		`{"ask":"` + strings.Repeat("x", MaxRequest) + `"}`:                               "at most",
	} {
		if a := ask(t, l, request); !strings.Contains(a.Error, says) || strings.Contains(a.Error, "internal error") || a.Values != nil {
			t.Errorf("%.80s: %q, want %q", request, a.Error, says)
		}
	}
}

// A context that has ended ends the work.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	l := New()
	for _, request := range []string{
		`{"ask":"fista","dictionary":"cosines","picture":"shapes:0","solver":"fista","lambda":0.2,"iterations":400}`,
		`{"ask":"gradient","dictionary":"cosines","picture":"shapes:0","solver":"fista","at":{}}`,
		`{"ask":"path","dictionary":"cosines","picture":"shapes:0","values":[1]}`,
		`{"ask":"attack","picture":"shapes:0","iterations":10,"epsilon":1}`,
	} {
		if response := l.Answer(ctx, []byte(request)); !strings.Contains(string(response), context.Canceled.Error()) {
			t.Errorf("%s: %.100q", request, response[8:])
		}
	}
}

// No request brings the program down, and every response can be read.
func FuzzAnswer(f *testing.F) {
	l := New()
	for _, request := range []string{
		`{"ask":"about"}`, `{"ask":"code","picture":"shapes:0","lambda":0.1,"iterations":2}`, `{"ask":"shrink","values":[1,-1],"lambda":0.5,"step":1,"mu":1}`,
		`{"ask":"stamp","picture":"shapes:1","places":[{"atom":5,"row":0,"column":31,"value":-1.5}],"at":{"atom":5,"row":0,"column":0}}`,
		`{"ask":"fista","dictionary":"cosines","picture":"shapes:2","solver":"ista","lambda":0.2,"iterations":3}`, `{"ask":"power","dictionary":"cosines","iterations":3}`,
		`{"ask":"diverge","dictionary":"cosines","picture":"shapes:4","lambda":0.1,"step":0.9,"iterations":3}`, `{"ask":"fista","iterations":-1e9}`, `null`, "\x00",
	} {
		f.Add(request)
	}
	f.Fuzz(func(t *testing.T, request string) {
		if a := ask(t, l, request); strings.Contains(a.Error, "internal error") {
			t.Error(a.Error)
		}
	})
}
