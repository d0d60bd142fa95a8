package sdnet_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"
	"runtime"
	"testing"

	"sdref/internal/kernel"
	"sdref/internal/random"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/optim"
	"sdref/tensor"
)

// training is a short training run from drawn images. Its digest covers every loss, eigenvalue, weight, buffer and velocity.
type training struct {
	name         string
	network      string
	widths       []int // nil: those of the network
	steps, batch int
	short        short
	double       bool // in float64
	digest       string
	unfused      string // of the row without fused multiply-adds; "": not run
}

// short says where a run takes place with -short.
type short int

const (
	nowhere  short = iota // too long
	native                // on amd64; elsewhere, where it may be emulated, a run of fewer steps takes its place
	emulated              // only elsewhere
	anywhere
)

// chosen tells whether a run takes place: all do without -short.
func (s short) chosen() bool {
	return !testing.Short() || s == anywhere || s == native && runtime.GOARCH == "amd64" || s == emulated && runtime.GOARCH != "amd64"
}

// The digests were computed by these tests, those of float32 anew when BatchNorm no longer rounded the mean before subtracting it. They hold on every kernel row, with any number of goroutines, with and without
// assembly and fused instructions, on amd64 and arm64, but for the row without fused multiply-adds, whose own holds everywhere too. Who changes them changes what every earlier run meant.
var trainings = []training{
	{"sdnet8_narrow", "sdnet8_narrow", nil, 20, 4, nowhere, false, "3834484555c50b60df57f5b704ccbc83035ab6ca01afc61057d5c1bb91003cc7", ""},
	{"sdnet8_all_narrow", "sdnet8_all_narrow", nil, 2, 4, nowhere, false, "ffdbdce1940b68d71575d5c6e83bec63e096ad86c28652594c317277b9265bf5", ""},
	{"sdnet8, narrower", "sdnet8_narrow", []int{6, 12, 20}, 20, 3, native, false, "e0c8dfab0ee065c80e60461f9db6e9b384a253c21f8b54407b821a737e747edf", "2a193a491a44d16383dde03b29c50a582cb71a135165ed745c47bc159c130376"},
	{"sdnet8, narrower, 5 steps", "sdnet8_narrow", []int{6, 12, 20}, 5, 3, emulated, false, "f9612d50af882aa84b66db12a1e81ed2f29a5c392e51e2a92cc4d07ede031dde", ""},
	{"sdnet8_all, narrower", "sdnet8_all_narrow", []int{5, 6, 7}, 2, 3, anywhere, false, "c8d87c57d31e00e7910ed9a66e3bc99ef86b8a06b2902db8ac051a475fca4ef1", ""},
	{"sdnet_air, narrower", "sdnet_air_narrow", []int{6, 12, 20}, 20, 3, native, false, "9f344f6abe6246e16008274d8df7c5d567122df059c0eaa070ce720af14619ec", ""},
	{"sdnet_air, narrower, 5 steps", "sdnet_air_narrow", []int{6, 12, 20}, 5, 3, emulated, false, "699d89312cc0dc9c54b3563d4bd375b1a7c66712caaf5c219855845ee6a4957f", ""},
	{"sdnet8, narrower, float64", "sdnet8_narrow", []int{6, 12, 20}, 6, 3, anywhere, true, "921f306c6c844b30b8a0f81e4ba629884ecf29e3bc55d8cfd61c70ef14646b99", ""},
}

func TestSameBitsEverywhere(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	defer use(t, kernel.ActiveName())
	for _, run := range trainings {
		if !run.short.chosen() {
			continue
		}
		rows := kernel.Rows[float32]()
		if run.unfused != "" && (runtime.GOARCH == "amd64" || !testing.Short()) { // elsewhere the kernels' own digests are enough
			rows = kernel.All[float32]()
		}
		for _, row := range rows {
			use(t, row.Name)
			want := run.digest
			if row == kernel.Unfused[float32]() {
				want = run.unfused
			}
			counts := []int{7, 1, 2}
			if testing.Short() {
				counts = counts[:2]
			}
			slow := row.Name == "generic" || row == kernel.Unfused[float32]()
			if slow && (run.short == nowhere || runtime.GOARCH != "amd64" || testing.Short() && len(rows) > 1) {
				counts = counts[:1] // slower still where emulated
			}
			for _, processors := range counts {
				runtime.GOMAXPROCS(processors)
				digest, losses := run.digests()
				if digest != want {
					t.Errorf("%s, kernel %s, GOMAXPROCS %d: %s, want %s; losses %v", run.name, row.Name, processors, digest, want, losses)
				}
			}
		}
	}
}

func use(t *testing.T, row string) {
	t.Helper()
	if err := kernel.Use(row); err != nil {
		t.Fatal(err)
	}
}

func (r training) digests() (string, []float64) {
	if r.double {
		return digest[float64](r)
	}
	return digest[float32](r)
}

// digest trains the network and returns the SHA-256 of all that came of it, and the losses.
func digest[T tensor.Float](r training) (string, []float64) {
	spec, err := sdnet.Lookup(r.network, "shapes")
	if err != nil {
		panic(err)
	}
	if r.widths != nil {
		spec.Widths = r.widths
	}
	net, err := sdnet.New[T](spec)
	if err != nil {
		panic(err)
	}
	const seed = 1
	net.Initialize(seed)
	var (
		trainer = sdnet.NewTrainer(net, 0.9, 5e-4)
		streams = random.New(seed)
		d       = data.Shapes(5*r.batch, 0, seed)
		pixels  = data.NewNormaliser[T](d.Mean, d.Std)
		images  = tensor.New[T](r.batch, data.Channels, data.Side, data.Side)
		sum     = sum{sha256.New()}
		losses  []float64
	)
	for step := range r.steps {
		epoch, at := uint64(step/5), step%5*r.batch
		indices := streams.Sub("shuffle", epoch).Permutation(d.Train.Len())[at : at+r.batch]
		pixels.CropFlip(images.Data, d.Train, indices, streams.Sub("augment"), epoch, uint64(at))
		var labels []int
		for _, i := range indices {
			labels = append(labels, int(d.Train.Labels[i]))
		}
		result := trainer.Step(images, labels, optim.Cosine{Base: 0.1}.Rate(step, 5, r.steps))
		losses = append(losses, result.Loss)
		sum.add(result.Loss, float64(result.Correct))
		for _, e := range result.Estimates {
			sum.add(e.Value, e.Change, float64(e.Rounds))
		}
	}
	for _, s := range net.State() {
		addAll(sum, s.Tensor)
	}
	for _, v := range trainer.Optimizer.Velocity {
		addAll(sum, v)
	}
	return hex.EncodeToString(sum.Sum(nil)), losses
}

// sum takes numbers in, each as the eight bytes of its float64, little-endian; from float32 that is exact.
type sum struct{ hash.Hash }

func (s sum) add(values ...float64) {
	for _, v := range values {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], math.Float64bits(v))
		s.Write(b[:])
	}
}

func addAll[T tensor.Float](s sum, t *tensor.Tensor[T]) {
	for _, v := range t.Data {
		s.add(float64(v))
	}
}
