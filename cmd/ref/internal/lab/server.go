package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"os/exec"
	"path"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/lab/answer"
)

// serve serves the page on the loopback interface until the context of the call ends.
func serve(c *cli.Call, files map[string][]byte, source string, port int, open bool) error {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return fmt.Errorf("-port: %w", err)
	}
	s := newServer(files, source, listener.Addr().(*net.TCPAddr).Port)
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, MaxHeaderBytes: 1 << 16,
		BaseContext: func(net.Listener) context.Context { return c.Context }}
	address := fmt.Sprintf("http://127.0.0.1:%d/", s.port)
	fmt.Fprintf(c.Stdout, "%s is the lab, for this machine only; Ctrl-C ends it\n", address)
	if open {
		if err := openBrowser(address); err != nil {
			fmt.Fprintf(c.Stderr, "no browser was opened (%v): open the address yourself\n", err)
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-c.Context.Done():
		server.Close()
		<-ended
		return c.Context.Err()
	}
}

// openBrowser opens an address in the user's browser.
func openBrowser(address string) error {
	var command *exec.Cmd
	switch runtime.GOOS {
	case "windows":
		command = exec.Command("rundll32", "url.dll,FileProtocolHandler", address)
	case "darwin":
		command = exec.Command("open", address)
	default:
		command = exec.Command("xdg-open", address)
	}
	if err := command.Start(); err != nil {
		return err
	}
	go command.Wait()
	return nil
}

// server answers the page's requests.
type server struct {
	files  map[string][]byte
	labs   chan *answer.Lab // those that answer nothing at the moment
	hosts  []string         // by which this machine names itself
	source string
	port   int

	build             sync.Once // of the WebAssembly program, when the page first asks for it
	program, starter  []byte
	programIsNotThere error
}

// labs is the number of requests that are answered at a time: a slider's need not wait for a certificate.
const labs = 3

func newServer(files map[string][]byte, source string, port int) *server {
	s := &server{files: files, labs: make(chan *answer.Lab, labs), source: source, port: port}
	for range labs {
		s.labs <- answer.New()
	}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		s.hosts = append(s.hosts, net.JoinHostPort(host, strconv.Itoa(port)))
	}
	return s
}

// contentPolicy lets the page load its own files, start its workers, and nothing else.
const contentPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' blob:; worker-src blob:; connect-src 'self'; img-src 'self' blob: data:; " +
	"style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ServeHTTP refuses what another page could have sent, one whose name was made to point here among them.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	origin := r.Header.Get("Origin")
	if !slices.Contains(s.hosts, r.Host) || origin != "" && origin != "http://"+r.Host {
		http.Error(w, "the lab answers its own page on this machine only", http.StatusForbidden)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	switch {
	case r.URL.Path == "/answer":
		s.answer(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
	default:
		s.file(w, r)
	}
}

// answer answers a request of the page.
func (s *server) answer(w http.ResponseWriter, r *http.Request) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); r.Method != http.MethodPost || kind != "application/json" {
		http.Error(w, "questions are posted as application/json", http.StatusMethodNotAllowed)
		return
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, answer.MaxRequest))
	if err != nil {
		http.Error(w, fmt.Sprintf("a question has at most %d bytes", answer.MaxRequest), http.StatusRequestEntityTooLarge)
		return
	}
	var lab *answer.Lab
	select {
	case lab = <-s.labs:
	case <-r.Context().Done():
		return
	}
	defer func() { s.labs <- lab }()
	begin := time.Now()
	response := lab.Answer(r.Context(), text)
	w.Header().Set("Server-Timing", fmt.Sprintf("answer;dur=%.3f", float64(time.Since(begin).Microseconds())/1000))
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Write(response)
}

// file serves a file of the page, or the program, which is built when it is first asked for.
func (s *server) file(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.URL.Path)
	if r.URL.Path == "/" {
		name = "index.html"
	}
	text := s.files[name]
	switch name {
	case configFile:
		text = []byte(`{"transport":"server"}`)
	case programFile, starterFile:
		s.build.Do(s.buildProgram)
		if s.programIsNotThere != nil {
			http.Error(w, s.programIsNotThere.Error(), http.StatusNotFound)
			return
		}
		text = map[string][]byte{programFile: s.program, starterFile: s.starter}[name]
	}
	if text == nil || r.URL.Path != "/" && r.URL.Path != "/"+name {
		http.Error(w, "there is no such file", http.StatusNotFound)
		return
	}
	kind := mime.TypeByExtension(path.Ext(name))
	switch path.Ext(name) { // which a machine's own table may say otherwise
	case ".js":
		kind = "text/javascript; charset=utf-8"
	case ".bin":
		kind = "application/octet-stream"
	}
	w.Header().Set("Content-Type", kind)
	w.Write(text)
}

// buildProgram builds the program for a page that wants to compute by itself too.
func (s *server) buildProgram() {
	b, err := newBuilder(s.source)
	if err == nil {
		s.program, s.starter, err = b.program(context.Background())
	}
	if err != nil {
		s.programIsNotThere = errors.Join(errors.New("the page cannot compute by itself here"), err)
	}
}
