package browser_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
)

// drags are the sliders whose answers the page computes while the hand moves: those of the trained stem, after the network's two
// iterations where it does not say otherwise.
var drags = []struct {
	what, hash, slider string
	from, to, step     float64
	drawn              string // what the screen notes when it has drawn an answer
}{
	{"known, lambda", "known", "lambda", 0, 1, 0.05, "data-state"},
	{"known, k from 1 to 10", "known", "k", 1, 10, 1, "data-state"},
	{"atoms, row of the match", "atoms", "row", 0, 31, 1, "data-value"},
	{"fista, k of the stem's 20", "fista&dictionary=stem", "k", 1, 20, 1, "data-k"},
	{"shrink, u", "shrink", "u", -2, 2, 0.1, "data-value"},
}

// TestLatency drags these sliders there and back, in the exported page (WebAssembly, over http) and in the served one (native), the next
// position when the last one is on the screen, and logs how long that took from the slider's event on. No speed is a condition.
func TestLatency(t *testing.T) {
	for name, address := range map[string]string{"WebAssembly": static(t), "native": served(t)} {
		t.Run(name, func(t *testing.T) {
			p := newTab(t)
			for _, d := range drags {
				p.open(address + "#" + d.hash)
				p.settle()
				var values []float64
				for v := d.from; v < d.to+d.step/2; v += d.step {
					values = append(values, v)
				}
				back := slices.Clone(values)
				slices.Reverse(back)
				whole, computed := p.drag(d.slider, append(values, back...), d.drawn)
				t.Logf("%-26s %d positions, milliseconds to the drawn result: %s; computing alone: %s", d.what, len(whole), times(whole), times(computed))
			}
			p.clean()
		})
	}
}

// times describes times; none, if the page had the answers.
func times(list []float64) string {
	if len(list) == 0 {
		return "none"
	}
	return fmt.Sprintf("least %.0f, median %.0f, 95th percentile %.0f", quantile(list, 0), quantile(list, 0.5), quantile(list, 0.95))
}

// drag moves a slider through positions and returns, in milliseconds, how long each took from the slider's event to the frame with its
// result, and how long the answers were computed.
func (p *tab) drag(slider string, values []float64, drawn string) (whole, computed []float64) {
	p.t.Helper()
	positions, _ := json.Marshal(values)
	took := eval[struct{ Whole, Computed []float64 }](p, fmt.Sprintf(`(async () => {
		const screen = document.querySelector(".screen"), slider = document.querySelector("input[type=range][name=%s]"), whole = [];
		labLatency.length = 0;
		for (const value of %s) {
			slider.value = value;
			const begin = performance.now();
			await new Promise((done) => {
				const observer = new MutationObserver(() => { observer.disconnect(); requestAnimationFrame(() => setTimeout(done)); });
				observer.observe(screen, { attributeFilter: [%q] });
				slider.dispatchEvent(new Event("input", { bubbles: true }));
			});
			whole.push(performance.now() - begin);
		}
		return { Whole: whole, Computed: labLatency.filter((l) => !l.slot.startsWith("back")).map((l) => l.computed) };
	})()`, slider, positions, drawn))
	return took.Whole, took.Computed
}

// quantile is the value below which a share of a list lies.
func quantile(list []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[int(share*float64(len(sorted)-1)+0.5)]
}
