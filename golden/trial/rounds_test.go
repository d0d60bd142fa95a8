package trial

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sdref/golden/judge"
)

// TestRounds asks commands two rounds: one that declares that it reads folders is started once, all others once
// a round. What they print is passed on, but for the lines that say done.
func TestRounds(t *testing.T) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("no /bin/sh")
	}
	listening := honest
	listening.Folders = Stdin
	const loop = `; while read -r f; do cp -r "$0/." "$f"; echo done; done; echo bye`
	for what, c := range map[string]struct {
		backend Declaration
		script  string
		starts  int
		log     string
	}{
		"reads folders":                  {listening, `; echo done` + loop, 1, "start\nbye\n"},
		"reads folders, CRLF, chatters":  {listening, `; printf 'do'; printf 'it\n'; printf 'done\r\n'` + loop, 1, "start\ndoit\nbye\n"},
		"says so and ends":               {listening, ``, 2, "start\nstart\n"},
		"is done and ends":               {listening, `; echo done`, 2, "start\nstart\n"},
		"does not read them":             {honest, ``, 2, "start\nstart\n"},
		"says done and means nothing":    {honest, `; echo done; echo more`, 2, "start\nmore\nstart\nmore\n"},
		"says done before it has begun":  {honest, `; echo done; rm -r "$1/one/outputs"; cp -r "$0/one/outputs" "$1/one"`, 2, "start\nstart\n"},
		"prints no end of its last line": {honest, `; printf don`, 2, "start\ndonstart\ndon"},
	} {
		var log bytes.Buffer
		r := &Rounds{Dir: filepath.Join(t.TempDir(), "rounds"), Log: &log, Limit: time.Minute,
			Command: []string{"/bin/sh", "-c", `echo start; cp -r "$0/." "$1"` + c.script, prepare(t, c.backend)}}
		for range 2 {
			result, err := usual.Run(context.Background(), r.Client)
			if err != nil || result.Verdict != judge.Pass || result.Backend.Name != "test" || result.Repeated != 2 {
				t.Errorf("%s: %+v, %v", what, result, err)
			}
			time.Sleep(50 * time.Millisecond) // one that ends has time to
		}
		r.Close()
		if log.String() != c.log || strings.Count(log.String(), "start") != c.starts {
			t.Errorf("%s: prints %q, want %q", what, log.String(), c.log)
		}
		if left, err := os.ReadDir(r.Dir); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind %v, %v", what, left, err)
		}
	}
}

// TestRoundsBreakDown: a backend that crashes, ends or hangs over a folder has broken down, and is started anew
// for the next one.
func TestRoundsBreakDown(t *testing.T) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("no /bin/sh")
	}
	listening := honest
	listening.Folders = Stdin
	for what, says := range map[string]string{"exit 3": "exit status 3", "exit 0": "was not done with a folder",
		"sleep 600 & sleep 600": ""} {
		r := &Rounds{Dir: filepath.Join(t.TempDir(), "rounds"), Log: io.Discard, Limit: 3 * time.Second, Keep: true,
			Command: []string{"/bin/sh", "-c", `cp -r "$0/." "$1"; echo done; read -r f; ` + what, prepare(t, listening)}}
		ask := func() (*Result, error) { return usual.Run(context.Background(), r.Client) }
		if result, err := ask(); err != nil || result.Verdict != judge.Pass {
			t.Fatalf("%s: %+v, %v", what, result, err)
		}
		switch result, err := ask(); {
		case says == "":
			if err != nil || !result.Stopped || result.Verdict != judge.Protocol {
				t.Errorf("%s: %+v, %v", what, result, err)
			}
		case err == nil || !BrokeDown(err) || !strings.Contains(err.Error(), says):
			t.Errorf("%s: %v", what, err)
		}
		if result, err := ask(); err != nil || result.Verdict != judge.Pass {
			t.Errorf("%s, then: %+v, %v", what, result, err)
		}
		r.Close()
		var folders []string
		left, _ := os.ReadDir(r.Dir)
		for _, f := range left {
			folders = append(folders, f.Name())
		}
		if !slices.Equal(folders, []string{"1", "2", "3"}) {
			t.Errorf("%s: keeps %q", what, folders)
		}
	}
	r := &Rounds{Dir: t.TempDir(), Log: io.Discard, Command: []string{"/no/such/command"}}
	if _, err := usual.Run(context.Background(), r.Client); err == nil || BrokeDown(err) {
		t.Errorf("no such command: %v", err)
	}
}

// TestOneFolderAlone: a command that is started for one folder has no input, so that one which reads folders
// ends.
func TestOneFolderAlone(t *testing.T) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("no /bin/sh")
	}
	var log bytes.Buffer
	command := []string{"/bin/sh", "-c", `cp -r "$0/." "$1"; echo done; while read -r f; do :; done; echo bye`,
		prepare(t, honest)}
	r, err := usual.Run(context.Background(), Command(filepath.Join(t.TempDir(), "x"), command, time.Minute, &log))
	if err != nil || r.Verdict != judge.Pass || log.String() != "bye\n" {
		t.Errorf("%+v, %v, %q", r, err, log.String())
	}
}
