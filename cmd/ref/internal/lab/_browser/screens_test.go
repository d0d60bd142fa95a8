package browser_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// screens lists the names of the page's screens, which the page itself says.
func screens(p *tab) []string {
	return eval[[]string](p, `[...document.querySelectorAll("#screens a")].map((a) => a.hash.slice(1))`)
}

// TestScreens goes through every screen, over http and from the disk: every slider moved to both ends and back, every choice made, no
// error on the console, a table behind every chart, an exercise, a line of source, and nothing wider than the window.
func TestScreens(t *testing.T) {
	for name, address := range map[string]string{"http": static(t), "file": onDisk()} {
		t.Run(name, func(t *testing.T) {
			p := newTab(t)
			p.open(address)
			list := screens(p)
			if len(list) < 1 {
				t.Fatal("no screens")
			}
			for _, screen := range list {
				p.run(fmt.Sprintf(`location.hash = %q`, screen))
				p.await(fmt.Sprintf(`document.querySelector('#screens a[href="#%s"][aria-current]')`, screen))
				p.settle()
				p.moveEverything()
				for _, part := range []string{"form.exercise", "[data-part=formula] math", "details.data", "button.line", "h1"} {
					if !eval[bool](p, fmt.Sprintf(`!!document.querySelector("main %s")`, part)) {
						t.Errorf("%s has no %s", screen, part)
					}
				}
				if unsaid := eval[int](p, `[...document.querySelectorAll("main .chart svg, main canvas")].filter((e) => !e.closest("[aria-hidden=true]") && !e.getAttribute("aria-label") && e.getAttribute("aria-hidden") !== "true").length`); unsaid > 0 {
					t.Errorf("%s has %d pictures without words", screen, unsaid)
				}
				p.showLine(screen)
				p.run(fmt.Sprintf(`location.hash = %q`, screen)) // as at the start
				p.settle()
				p.fits(screen)
			}
			p.clean()
			t.Log(latency(p))
		})
	}
}

// moveEverything moves each slider to its ends and back, and makes each choice.
func (p *tab) moveEverything() {
	p.t.Helper()
	type slider struct {
		Name            string
		Min, Max, Value float64
	}
	quick := true // where an answer takes long, the next position takes its place
	for _, s := range eval[[]slider](p, `[...document.querySelectorAll("main input[type=range]")].map((s) => ({Name: s.name, Min: +s.min, Max: +s.max, Value: +s.value}))`) {
		if !eval[bool](p, fmt.Sprintf(`[...document.querySelector('input[name=%s]').labels].some((l) => l.textContent.trim())`, s.Name)) {
			p.t.Errorf("slider %s has no label", s.Name)
		}
		for _, v := range []float64{s.Min, s.Max, s.Value} {
			p.push(s.Name, v)
			if begin := time.Now(); quick || v == s.Value {
				p.settle()
				quick = quick && time.Since(begin) < 2*time.Second
			}
			if said := eval[string](p, fmt.Sprintf(`document.querySelector('input[name=%s]').getAttribute("aria-valuetext")`, s.Name)); said == "" {
				p.t.Errorf("slider %s does not say its value", s.Name)
			}
		}
	}
	count := eval[int](p, `document.querySelectorAll("main .choices input").length`)
	for i := range count {
		p.run(fmt.Sprintf(`document.querySelectorAll("main .choices input")[%d].click()`, i))
		p.settle()
	}
	if note := text(p, "main .note:not(:empty)"); note != "" {
		p.t.Errorf("after moving everything the page says %q", note)
	}
}

// showLine opens each place in the source.
func (p *tab) showLine(screen string) {
	p.t.Helper()
	for i := range eval[int](p, `document.querySelectorAll("main button.line").length`) {
		p.run(fmt.Sprintf(`document.querySelectorAll("main button.line")[%d].click()`, i))
		p.await(`document.querySelector("dialog[open] pre span")`)
		if lines := eval[int](p, `document.querySelectorAll("dialog .inside, dialog .cited").length`); lines < 3 {
			p.t.Errorf("%s: line %d shows %d lines of source: %s", screen, i, lines, text(p, "dialog .head"))
		}
		p.run(`document.querySelector("dialog[open]").close()`)
		p.await(`!document.querySelector("dialog")`)
	}
}

// fits checks that nothing is wider than the window, at three widths, and takes the pictures.
func (p *tab) fits(screen string) {
	p.t.Helper()
	for _, width := range []int64{375, 768, 1280} {
		p.size(width, 900)
		if over := eval[int](p, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
			p.t.Errorf("%s at %d pixels: %d more; %v", screen, width, over, eval[[]string](p, `[...document.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, .math, nav")).slice(0, 4).map((e) => e.tagName + "." + e.className)`))
		}
		if folder := os.Getenv("LAB_SHOTS"); folder != "" {
			p.shoot(filepath.Join(folder, fmt.Sprintf("%s-%d.png", screen, width)), "light")
			if width != 768 {
				p.shoot(filepath.Join(folder, fmt.Sprintf("%s-%d-dark.png", screen, width)), "dark")
			}
		}
	}
}

// shoot writes a picture of the page.
func (p *tab) shoot(path, scheme string) {
	p.t.Helper()
	wear := func(scheme string) {
		call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		p.await(`new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(true), 50)))`)
		p.settle()
	}
	wear(scheme)
	picture, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, picture, 0o644); err != nil {
		p.t.Fatal(err)
	}
	wear("light")
}

// latency says how long the answers took that sliders waited for.
func latency(p *tab) string {
	type took struct {
		Screen, Slot string
		Took         float64
	}
	by := map[string][]float64{}
	for _, l := range eval[[]took](p, `labLatency`) {
		by[l.Screen+" "+l.Slot] = append(by[l.Screen+" "+l.Slot], l.Took)
	}
	var lines []string
	for name, list := range by {
		slices.Sort(list)
		lines = append(lines, fmt.Sprintf("%s: %d answers, least %.0f ms, median %.0f, most %.0f", name, len(list), list[0], list[len(list)/2], list[len(list)-1]))
	}
	slices.Sort(lines)
	text := "latency"
	for _, l := range lines {
		text += "\n" + l
	}
	return text
}
