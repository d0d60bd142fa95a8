package data

import (
	"sdref/internal/misuse"
	"sdref/internal/random"
)

// Padding is the number of black pixels on each side of an image from which a crop is cut.
const Padding = 4

// Crop is one draw of the usual augmentation for CIFAR, 32x32 pixels of the image with 4 black pixels around
// it: the crop's top left corner in the padded image, and whether it is then mirrored. Padding comes before
// normalisation, so a padded value is -mean/std.
type Crop struct {
	Row, Column int // 0 to 2*Padding; at Padding the crop is the image itself
	Flip        bool
}

// Centre is the crop that changes nothing.
var Centre = Crop{Row: Padding, Column: Padding}

// DrawCrop returns the crop of the sample at a position of an epoch. Rows and columns from 0 to 2*Padding are
// equally likely, and so are flipping and not.
func DrawCrop(draws random.Stream, epoch, position uint64) Crop {
	s := draws.Sub("crop and flip", epoch, position)
	const offsets = 2*Padding + 1
	return Crop{Row: s.Intn(0, offsets), Column: s.Intn(1, offsets), Flip: s.Intn(2, 2) == 1}
}

// Normaliser turns images into a network's input. It is a table of the value of each byte in each channel,
//
//	value = (x/255 - mean) / std          x a byte, mean and std of its channel
type Normaliser[T float32 | float64] [Channels][256]T

// NewNormaliser computes the table in the arithmetic of T, each operation rounded once: for float32 these
// are the values of a pipeline in which pixels, means and deviations are float32. It panics unless each std
// is positive.
func NewNormaliser[T float32 | float64](mean, std [Channels]float64) *Normaliser[T] {
	n := new(Normaliser[T])
	for c := range n {
		if !(std[c] > 0) {
			panic(misuse.Errorf("data: NewNormaliser: std[%d] = %v must be positive", c, std[c]))
		}
		for x := range n[c] {
			n[c][x] = (T(x)/255 - T(mean[c])) / T(std[c])
		}
	}
	return n
}

// Plain writes the images of set with the given indices to dst, N x 3 x 32 x 32. It panics if dst has
// another length or an index is outside the set.
func (n *Normaliser[T]) Plain(dst []T, set *Set, indices []int) {
	checkBatch("Plain", len(dst), set, indices)
	for j, i := range indices {
		n.Write(dst[j*ImageBytes:][:ImageBytes], set.Image(i), Centre)
	}
}

// CropFlip writes the images of set with the given indices to dst, N x 3 x 32 x 32, each with the crop that
// DrawCrop gives its position: first for indices[0], first+1 for indices[1], and so on. It panics as Plain
// does.
func (n *Normaliser[T]) CropFlip(dst []T, set *Set, indices []int, draws random.Stream, epoch, first uint64) {
	checkBatch("CropFlip", len(dst), set, indices)
	for j, i := range indices {
		crop := DrawCrop(draws, epoch, first+uint64(j))
		n.Write(dst[j*ImageBytes:][:ImageBytes], set.Image(i), crop)
	}
}

// checkBatch panics unless dst has the length of the images, and the set contains them.
func checkBatch(op string, length int, set *Set, indices []int) {
	if want := len(indices) * ImageBytes; length != want {
		panic(misuse.Errorf("data: %s: dst has %d values, want %d x 3 x 32 x 32 = %d", op, length, len(indices),
			want))
	}
	for j, i := range indices {
		if i < 0 || i >= set.Len() {
			panic(misuse.Errorf("data: %s: indices[%d] = %d, but %s has %d images", op, j, i, set.Name,
				set.Len()))
		}
	}
}

// Write writes one crop of one image to dst, both 3 x 32 x 32. It panics if a length is another or the
// crop is not inside the padded image.
func (n *Normaliser[T]) Write(dst []T, image []byte, crop Crop) {
	var cut [ImageBytes]byte
	crop.Cut(cut[:], image)
	n.Values(dst, cut[:], Channels)
}

// Values writes the value of each byte of an image, channels x H x W of any height and width. It panics if dst has
// another length, or if there are more than 3 channels or less than 1, or that many do not make an image.
func (n *Normaliser[T]) Values(dst []T, image []byte, channels int) {
	if channels < 1 || channels > Channels || len(dst) != len(image) || len(image)%channels != 0 {
		panic(misuse.Errorf("data: Values: dst has %d values, the image %d bytes of %d channels", len(dst),
			len(image), channels))
	}
	plane := len(image) / channels
	for c := range channels {
		table, out := &n[c], dst[c*plane:][:plane]
		for i, x := range image[c*plane:][:plane] {
			out[i] = table[x]
		}
	}
}

// Cut writes the crop of an image to dst, both 3 x 32 x 32 bytes; a pixel of the padding is 0. It panics if a
// length is another or the crop is not inside the padded image.
func (crop Crop) Cut(dst, image []byte) {
	if len(dst) != ImageBytes || len(image) != ImageBytes {
		panic(misuse.Errorf("data: Cut: dst has %d bytes, the image %d, want 3 x 32 x 32 = %d",
			len(dst), len(image), ImageBytes))
	}
	if crop.Row < 0 || crop.Row > 2*Padding || crop.Column < 0 || crop.Column > 2*Padding {
		panic(misuse.Errorf("data: Cut: crop %+v: row and column must be 0 to %d", crop, 2*Padding))
	}
	crop.view().Write(dst, image, [3]int{Channels, Side, Side})
}

// view is the crop as the view of an image that is moved.
func (crop Crop) view() View {
	return View{Down: Padding - crop.Row, Right: Padding - crop.Column, Flip: crop.Flip}
}

// Cropped is a set of images that are cropped and flipped at random for training.
type Cropped struct{ *Set }

// Augment writes image i, 3 x 32 x 32 bytes, with the crop that DrawCrop gives its position.
func (s Cropped) Augment(dst []byte, i int, draws random.Stream, epoch, position uint64) error {
	DrawCrop(draws, epoch, position).Cut(dst, s.Image(i))
	return nil
}
