package training

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"

	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/pretrained"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

// SaveNetwork writes a network to a file that OpenNetwork, ref eval and ref predict read, with its specification, whatever that is, and
// what its images are. images may be nil for those of sdnet.DataSets. An existing file is replaced only once the new one is complete. Weights
// that CheckValues finds fault with are an error.
func SaveNetwork[T tensor.Float](path string, net *sdnet.Network[T], images *data.Description) error {
	c := Published().For(net.Spec)
	c.Type, c.Images = typeName[T](), 1
	f, err := Weights(net, c, 0, "training.SaveNetwork", images)
	if err != nil {
		return err
	}
	if err := net.Sound(); err != nil {
		return err
	}
	return safetensors.Write(path, f)
}

// OpenNetwork reads the network of a checkpoint and what its images are. Its weights are as the optimiser left them: predict with its
// Evaluable. The path may be one of package pretrained, such as "pretrained:sdnet8_slim".
func OpenNetwork[T tensor.Float](path string) (*sdnet.Network[T], data.Description, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, data.Description{}, err
	}
	return networkOf[T](f)
}

// OpenNetworkFS is OpenNetwork for a file of a file system, such as one that is embedded in the program.
func OpenNetworkFS[T tensor.Float](fsys fs.FS, name string) (*sdnet.Network[T], data.Description, error) {
	f, err := safetensors.ReadFS(fsys, name)
	if err != nil {
		return nil, data.Description{}, err
	}
	return networkOf[T](f)
}

// ReadNetwork is OpenNetwork for what r reads up to its end, such as the body of an answer to a request.
func ReadNetwork[T tensor.Float](r io.Reader) (*sdnet.Network[T], data.Description, error) {
	f, err := safetensors.ReadFrom(r)
	if err != nil {
		return nil, data.Description{}, err
	}
	f.Path = "the stream"
	return networkOf[T](f)
}

func networkOf[T tensor.Float](f *safetensors.File) (*sdnet.Network[T], data.Description, error) {
	net, c, err := LoadNetwork[T](f)
	if err != nil {
		return nil, data.Description{}, err
	}
	if err := CheckValues(f); err != nil {
		return nil, data.Description{}, err
	}
	about, err := DescribeImages(f, c)
	return net, about, err
}

func openFile(path string) (*safetensors.File, error) {
	if name, ok := strings.CutPrefix(path, pretrained.Prefix); ok {
		return pretrained.Open(name)
	}
	return safetensors.Read(path)
}

// typeName is the name of T in configurations.
func typeName[T tensor.Float]() string {
	var zero T
	if _, ok := any(zero).(float64); ok {
		return "float64"
	}
	return "float32"
}

// ErrStopped says that Train ended before the run was done, because its context was cancelled.
var ErrStopped = errors.New("training was stopped")

// Train does the steps that are left, and shows each to observe, if that is not nil. When the context is cancelled it finishes the step
// and returns an error that wraps ErrStopped and the context's; the run can go on from there, or be saved and resumed.
func (r *Run[T]) Train(ctx context.Context, observe func(Step)) error {
	for !r.Done() {
		if err := ctx.Err(); err != nil {
			return errors.Join(ErrStopped, err)
		}
		s, err := r.Step()
		if err != nil {
			return err
		}
		if observe != nil {
			observe(s)
		}
	}
	return nil
}
