package trial

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"sdref/golden/judge"
)

// WriteJSON writes the whole record.
func WriteJSON(w io.Writer, r *Result) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(struct {
		Schema int `json:"schema"`
		*Result
	}{1, r})
}

// WriteJUnit writes a test for each case, as continuous integration reads them.
func WriteJUnit(w io.Writer, r *Result) error {
	type message struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
	type test struct {
		Class   string   `xml:"classname,attr"`
		Name    string   `xml:"name,attr"`
		Failure *message `xml:"failure,omitempty"`
		Skipped *message `xml:"skipped,omitempty"`
	}
	suite := struct {
		XMLName  xml.Name `xml:"testsuite"`
		Name     string   `xml:"name,attr"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Skipped  int      `xml:"skipped,attr"`
		Cases    []test   `xml:"testcase"`
	}{Name: fmt.Sprintf("%s %s", r.Backend.Name, r.Backend.Profile), Tests: len(r.Reports)}
	for i := range r.Reports {
		report := &r.Reports[i]
		t := test{Class: report.Kind, Name: report.Case}
		switch {
		case report.Verdict == judge.NotCovered:
			t.Skipped = &message{Message: string(report.Verdict)}
			suite.Skipped++
		case report.Verdict.Failed():
			t.Failure = &message{Message: report.Summary(), Type: string(report.Verdict),
				Text: strings.Join(append(report.Notes, r.RepeatCommand(report.Case)), "\n")}
			suite.Failures++
		}
		suite.Cases = append(suite.Cases, t)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", " ")
	if err := e.Encode(suite); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
