// Package answer answers the questions of the lab's page, by the packages of this module and nothing else: the code of a picture, the
// iterates of a solver, a gradient.
//
// A question is a Request, JSON; an answer a Response, a header in JSON and arrays as they lie in memory. Equal requests have equal
// responses, to the byte, wherever they are answered: the server of ref lab and the page's own copy of this program, compiled to
// WebAssembly, both call Lab.Answer. If a Lab is Quick, that holds of codes with a digest, and of the rest among Labs that have the same
// row. The kernel row's name, which is not part of the encoding's numbers, is asked for apart ("about").
//
// It is for those two. It knows nothing of transports, files and pages.
package answer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"sdref/csc"
	"sdref/internal/kernel"
	"sdref/sdnet"
)

// Request is a question. Ask says which; the other fields are what it depends on, and those that it does not know of must be left out
// or 0. Sizes are limited so that every question is answered in seconds where arithmetic is slowest.
type Request struct {
	Ask         string    `json:"ask"`
	Picture     string    `json:"picture,omitempty"`     // "shapes:N", or "px:" and 3 x 32 x 32 bytes in base64url
	Dictionary  string    `json:"dictionary,omitempty"`  // "stem" or "cosines"
	Solver      string    `json:"solver,omitempty"`      // "fista", "published" or "ista"
	Lambda      float64   `json:"lambda,omitempty"`      // weight of |z|_1
	Mu          float64   `json:"mu,omitempty"`          // weight of |z|^2/2
	Signed      bool      `json:"signed,omitempty"`      // z may be negative
	Step        float64   `json:"step,omitempty"`        // t, or t lambda_max
	Iterations  int       `json:"iterations,omitempty"`  // of FISTA, of power iteration, or of an attack
	Unsolved    bool      `json:"unsolved,omitempty"`    // leave out what takes long
	Values      []float64 `json:"values,omitempty"`      // numbers to shrink; epsilons; lambdas
	Places      []Place   `json:"places,omitempty"`      // where atoms are stamped
	At          *Place    `json:"at,omitempty"`          // an element of a code
	Noise       string    `json:"noise,omitempty"`       // as ref robust names it
	Severity    int       `json:"severity,omitempty"`    // from 1 to 5, 0 for no noise
	Layer       string    `json:"layer,omitempty"`       // a value in the network
	Network     string    `json:"network,omitempty"`     // one of the trained ones
	Epsilon     float64   `json:"epsilon,omitempty"`     // of an attack, in 1/255
	Certificate bool      `json:"certificate,omitempty"` // certify the code
	Quick       bool      `json:"quick,omitempty"`       // a code by the row that is quick, without a digest
}

// Place is an element of a code: atom, row, column, and its value.
type Place struct {
	Atom   int     `json:"atom"`
	Row    int     `json:"row"`
	Column int     `json:"column"`
	Value  float64 `json:"value"`
}

// MaxRequest is the greatest length of a request in bytes: a picture has 4 kB.
const MaxRequest = 1 << 16

// Lab answers requests, one at a time; it keeps what is used again, such as networks.
type Lab struct {
	networks map[string]*network
	programs map[programKey]*program
	stem     *sdnet.CSC[float64] // what wide returns
	cosines  *csc.Layer[float64]
	exact    string // the kernel row of codes that carry a digest; "" if there is one row for all
}

// New returns a Lab.
func New() *Lab {
	return &Lab{networks: map[string]*network{}, programs: map[programKey]*program{}}
}

// Quick makes a kernel row, such as unfused, the one that computes whatever carries no digest; codes that do (those of questions that are
// not Quick themselves) stay with the row that was active. Rows are chosen for a whole process, so that it is for one with a single Lab.
func (l *Lab) Quick(row string) error {
	l.exact = kernel.ActiveName()
	return kernel.Use(row)
}

// asks is the table of questions.
var asks = map[string]func(l *Lab, ctx context.Context, r Request) (*Response, error){
	"about":    (*Lab).about,
	"pictures": (*Lab).pictures,
	"code":     (*Lab).code,
	"atoms":    (*Lab).atoms,
	"shrink":   (*Lab).shrink,
	"stamp":    (*Lab).stamp,
	"fista":    (*Lab).fista,
	"power":    (*Lab).power,
	"bounds":   (*Lab).bounds,
	"diverge":  (*Lab).diverge,
	"path":     (*Lab).path,
	"gradient": (*Lab).gradient,
	"predict":  (*Lab).predict,
	"robust":   (*Lab).robust,
	"attack":   (*Lab).attack,
}

// Answer answers a request in JSON. A request that makes no sense, and a context that ends, give a response that says so in a sentence.
func (l *Lab) Answer(ctx context.Context, text []byte) (response []byte) {
	defer func() {
		if r := recover(); r != nil {
			line, _, _ := strings.Cut(fmt.Sprint(r), "\n")
			response = (&Response{Error: "internal error, please report it: " + line}).Encode()
		}
	}()
	r, err := parse(text)
	if err == nil {
		var answered *Response
		if answered, err = asks[r.Ask](l, ctx, r); err == nil {
			return answered.Encode()
		}
	}
	return (&Response{Error: err.Error()}).Encode()
}

// parse reads a request and checks what all questions have in common.
func parse(text []byte) (r Request, err error) {
	if len(text) > MaxRequest {
		return r, fmt.Errorf("a request of %d bytes; at most %d are read", len(text), MaxRequest)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, fmt.Errorf("this is no request: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return r, errors.New("this is no request: something stands behind it")
	}
	if asks[r.Ask] == nil {
		return r, fmt.Errorf("%q is no question that the lab knows", r.Ask)
	}
	for name, v := range map[string]float64{"lambda": r.Lambda, "mu": r.Mu, "step": r.Step, "epsilon": r.Epsilon} {
		if !(v >= 0 && v <= maxWeight) {
			return r, fmt.Errorf("%s %g is not between 0 and %d", name, v, maxWeight)
		}
	}
	for _, v := range r.Values {
		if !(math.Abs(v) <= maxWeight) {
			return r, fmt.Errorf("%g is not between -%d and %d", v, maxWeight, maxWeight)
		}
	}
	if len(r.Values) > maxList || len(r.Places) > maxList {
		return r, fmt.Errorf("a list of %d; at most %d", max(len(r.Values), len(r.Places)), maxList)
	}
	return r, nil
}

// The greatest numbers in a request.
const (
	maxWeight = 1000
	maxList   = 1024
)

// iterations checks the request's number of iterations.
func (r Request) iterations(most int) error {
	if r.Iterations < 1 || r.Iterations > most {
		return fmt.Errorf("%d iterations: not between 1 and %d", r.Iterations, most)
	}
	return nil
}
