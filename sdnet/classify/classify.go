// Package classify says what is on a picture: a trained network, and all that lies between an image.Image and the names of its classes.
//
// It is for programs that predict, such as servers. It knows nothing of training and files but by package training.
package classify

import (
	"fmt"
	"image"
	"io"
	"io/fs"
	"sync"

	"sdref/internal/misuse"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/training"
	"sdref/tensor"
)

// Classifier is a network that is ready to predict, in float32. Any number of goroutines may use one: each call has a predictor of its own.
type Classifier struct {
	Images data.Description // what the network was trained on: the names of its classes, size, mean and deviation
	// Workers is the greatest number of goroutines of a call, beside GOMAXPROCS; 0 is no other. With 1 a server answers most requests in
	// a second, without a limit a single one soonest. It is not to be changed while calls are under way.
	Workers int

	net    *sdnet.Network[float32]
	margin bool // whether a picture is scaled to cover more than the network sees
	spare  sync.Pool
}

// Open returns the classifier of a checkpoint: a file, or one of package pretrained, such as "pretrained:sdnet8_slim".
func Open(path string) (*Classifier, error) {
	net, images, err := training.OpenNetwork[float32](path)
	if err != nil {
		return nil, err
	}
	return New(net, images), nil
}

// OpenFS is Open for a file of a file system, such as one that is embedded in the program.
func OpenFS(fsys fs.FS, name string) (*Classifier, error) {
	net, images, err := training.OpenNetworkFS[float32](fsys, name)
	if err != nil {
		return nil, err
	}
	return New(net, images), nil
}

// Read is Open for what r reads up to its end, such as the body of an answer to a request.
func Read(r io.Reader) (*Classifier, error) {
	net, images, err := training.ReadNetwork[float32](r)
	if err != nil {
		return nil, err
	}
	return New(net, images), nil
}

// New returns the classifier of a network, weights as the optimiser left them, which was trained on such images. What becomes of the
// network later does not change it. It panics with a *MisuseError if the description is not one of the network's images.
func New(net *sdnet.Network[float32], images data.Description) *Classifier {
	err := images.Check()
	if err == nil && (images.Shape() != net.Data.Shape() || images.Classes != nil && len(images.Classes) != net.Data.Classes) {
		err = fmt.Errorf("images of %s and %d classes", data.ShapeText(images.Shape()), len(images.Classes))
	}
	if err == nil {
		err = data.CheckShape(images.Shape())
	}
	if err != nil {
		panic(misuse.Errorf("classify: %v, for %s", err, net.Spec))
	}
	c := &Classifier{Images: images, net: net.Evaluable(), margin: net.Data.Name == "imagenet"} // as folders of classes are evaluated
	c.spare.New = func() any { return sdnet.NewPredictor(c.net) }
	return c
}

// Top returns the k most probable classes of a picture of any size, which is scaled, cropped and normalised as ref predict does it. A
// picture without pixels is a panic.
func (c *Classifier) Top(m image.Image, k int) []sdnet.Guess {
	shape := c.Images.Shape()
	x := tensor.New[float32](1, shape[0], shape[1], shape[2])
	data.NewNormaliser[float32](c.Images.Mean, c.Images.Std).Values(x.Data, data.Pixels(m, shape, c.margin), shape[0])
	p := c.spare.Get().(*sdnet.Predictor[float32])
	defer c.spare.Put(p)
	p.Workers = c.Workers
	return sdnet.Top(sdnet.Softmax(p.Logits(x)).Data, k, c.Images.Classes)
}

// MisuseError is the value with which this package panics for mistakes of its caller.
type MisuseError = misuse.Error
