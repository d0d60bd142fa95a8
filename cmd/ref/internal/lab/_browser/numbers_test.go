package browser_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestNumbers compares the page's numbers with those that ref trace prints, and its code's digest with the native one, over http, from
// the disk, and where the program itself serves the page.
func TestNumbers(t *testing.T) {
	trace, err := exec.Command(built.program, "trace", "-iterations", "3", "-solver", "fista").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name, address := range map[string]string{"http": static(t), "file": onDisk(), "served": served(t)} {
		t.Run(name, func(t *testing.T) {
			p := newTab(t)
			p.open(address + "#fista&dictionary=stem&lambda=0.1&mu=0")
			p.await(`document.querySelector(".screen").dataset.objective`)
			for k := 1; k <= 3; k++ {
				p.slide("k", float64(k))
				p.await(fmt.Sprintf(`document.querySelector(".screen").dataset.k == %d`, k))
				page := eval[string](p, `(({objective, nonzeros}) => Number(objective).toFixed(6) + " " + nonzeros)(document.querySelector(".screen").dataset)`)
				row := regexp.MustCompile(fmt.Sprintf(`(?m)^ *%d  .*$`, k)).FindString(string(trace))
				cells := strings.Fields(row)
				if len(cells) < 9 || page != cells[2]+" "+cells[8] {
					t.Errorf("k = %d: the page says %s, ref trace %q", k, page, row)
				}
			}
			p.open(address + "#known")
			if name == "served" {
				p.await(`document.querySelector(".badge[data-state=half]")`)
				p.run(`document.querySelector(".badge button").click()`)
			}
			for _, lambda := range []float64{0.1, 0, 0.45, 1} {
				p.slide("lambda", lambda)
				p.await(fmt.Sprintf(`document.querySelector(".screen").dataset.state === "shapes:0 %g 2" && document.querySelector(".badge[data-state=good],.badge[data-state=bad]")`, lambda))
				if state := eval[string](p, `document.querySelector(".badge").dataset.state`); state != "good" {
					t.Errorf("lambda %g: the badge says %s", lambda, text(p, ".badge"))
				}
			}
			p.clean()
			t.Log(latency(p))
		})
	}
}

// served is the address of the page that the program serves.
func served(t *testing.T) string {
	command := exec.Command(built.program, "lab", "-open=false")
	command.Dir = root
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command.Process.Signal(os.Interrupt)
		if err := command.Wait(); err != nil {
			t.Errorf("after Ctrl-C: %v", err)
		}
	})
	line := make([]byte, 200)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, out)
	return regexp.MustCompile(`http://[^ ]+`).FindString(string(line[:n]))
}

// TestAddress reads addresses: a state, nonsense, screens alone, parts left out; and turns pages by keys.
func TestAddress(t *testing.T) {
	p, address := newTab(t), static(t)
	p.open(address + "#known&lambda=0.35&k=4&picture=shapes:3")
	p.settle()
	if state := eval[string](p, `document.querySelector(".screen").dataset.state`); state != "shapes:3 0.35 4" {
		t.Errorf("the state is %s", state)
	}
	p.slide("k", 5)
	p.await(`location.hash.includes("k=5") && location.hash.includes("lambda=0.35")`)
	for nonsense, says := range map[string]string{
		"#nowhere": "no", "#known&lambda=-3": "lambda", "#known&k=NaN": "k", "#known&picture=px:abc": "picture", "#known&picture=shapes:999": "picture",
		"#known&shoe=4": "shoe", "#known&lambda=%E0%A4%A": "lambda", "?only=nothing#known": "only", "?hide=everything#known": "hide",
	} {
		p.open(address + nonsense)
		p.settle()
		if note := text(p, "main .note:not(:empty)"); !strings.Contains(note, says) {
			t.Errorf("%s: the page says %q", nonsense, note)
		}
	}
	p.open(address + "?only=shrink&hide=exercise,formula")
	p.settle()
	if list := screens(p); len(list) != 1 || list[0] != "shrink" || eval[bool](p, `document.querySelector("form.exercise").checkVisibility()`) {
		t.Errorf("screens %v", list)
	}
	p.open(address)
	list := screens(p)
	for i, key := range []string{"ArrowRight", "ArrowRight", "ArrowLeft"} {
		at := []int{1, 2, 1}[i]
		p.run(fmt.Sprintf(`document.body.dispatchEvent(new KeyboardEvent("keydown", {key: %q, bubbles: true}))`, key))
		p.await(fmt.Sprintf(`location.hash === "#%s"`, list[at]))
	}
	p.settle()
	p.clean()
}

// TestPictures opens files: a picture of one's own, a broken one, one that is too large, and draws.
func TestPictures(t *testing.T) {
	folder := t.TempDir()
	put := func(name string, text []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, text, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	drawn := func(width, height int) []byte {
		m := image.NewRGBA(image.Rect(0, 0, width, height))
		for i := range width * height {
			m.SetRGBA(i%width, i/width, color.RGBA{uint8(i), uint8(i / width), 99, 255})
		}
		var out bytes.Buffer
		if err := png.Encode(&out, m); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	noise := make([]byte, 21<<20)
	rand.Read(noise)
	var huge bytes.Buffer
	if err := png.Encode(&huge, image.NewGray(image.Rect(0, 0, 9000, 9000))); err != nil {
		t.Fatal(err)
	}
	p := newTab(t)
	p.open(onDisk() + "#known")
	p.settle()
	for _, c := range []struct {
		path, says string
	}{
		{put("empty.png", nil), "empty"}, {put("text.png", []byte("no picture")), "no picture that this browser"}, {put("noise.png", noise), "at most 20"},
		{put("huge.png", huge.Bytes()), "9000 x 9000"}, {put("broken.png", drawn(40, 30)[:150]), ""},
	} {
		p.do(chromedp.SetUploadFiles("input[type=file]", []string{c.path}))
		if c.says == "" { // a browser may show a part of it
			p.settle()
			continue
		}
		p.await(fmt.Sprintf(`[...document.querySelectorAll(".picker .note")].some((n) => n.textContent.includes(%q))`, c.says))
	}
	p.do(chromedp.SetUploadFiles("input[type=file]", []string{put("good.png", drawn(50, 40))}))
	p.await(`location.hash.includes("picture=px%3A")`)
	p.settle()
	p.await(`document.querySelector(".badge[data-state=none]")`)
	hash := eval[string](p, `location.hash`)
	nonzeros := eval[string](p, `document.querySelector(".screen").dataset.nonzeros`)
	p.open(onDisk() + hash) // the address carries the picture
	p.settle()
	if again := eval[string](p, `document.querySelector(".screen").dataset.nonzeros`); again != nonzeros || nonzeros == "" {
		t.Errorf("%s elements, then %s", nonzeros, again)
	}
	p.clean()
}

// TestExercises answers one right and wrong.
func TestExercises(t *testing.T) {
	p := newTab(t)
	p.open(onDisk() + "#shrink")
	p.settle()
	for answer, verdict := range map[string]string{"1.6": "Right", "1": "Not yet", "7": "Not yet", "much": "A number"} {
		p.run(fmt.Sprintf(`(() => { const f = document.querySelector("form.exercise"); f.querySelector("input").value = %q; f.requestSubmit(); })()`, answer))
		p.await(fmt.Sprintf(`document.querySelector(".verdict").textContent.startsWith(%q)`, verdict))
	}
	p.clean()
}
