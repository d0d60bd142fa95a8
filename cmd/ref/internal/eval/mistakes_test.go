package eval

import (
	"fmt"
	"strings"
	"testing"

	"sdref/sdnet/training"
)

// Of classes that are too many for a matrix the most frequent mistakes are listed, at most twenty, in the order of the classes where they
// are equally frequent.
func TestMistakes(t *testing.T) {
	const classes = maxMatrix + 1
	a := newAnswers([]string{"cat", "dog"}, classes, nil)
	say := func(label, given, times int) {
		p := make([]float64, classes)
		p[given] = 1
		for range times {
			a.add(training.Answer{Label: label, Probabilities: p})
		}
	}
	say(0, 0, 9) // no mistake
	say(0, 1, 2)
	say(7, 3, 5)
	for label := range 22 {
		say(label+2, label+3, 1)
	}
	var b strings.Builder
	a.printMatrix(&b)
	var got []string
	for line := range strings.Lines(b.String()) {
		if fields := strings.Fields(line); len(fields) > 0 {
			got = append(got, strings.Join(fields, " "))
		}
	}
	want := []string{"images of taken for times", "7 3 5", "cat dog 2"}
	for label := range maxMistakes - 2 {
		want = append(want, fmt.Sprintf("%d %d 1", label+2, label+3))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
