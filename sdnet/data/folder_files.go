package data

import (
	"fmt"
	"image"
	"io/fs"

	"sdref/internal/misuse"
	"sdref/internal/random"
)

// ImageNetExtent is the published height and width of ImageNet's images.
const ImageNetExtent = 224

// The mean and the standard deviation of the training pixels divided by 255, per channel, as the published
// recipe has them.
var (
	imageNetMean = [3]float64{0.485, 0.456, 0.406}
	imageNetStd  = [3]float64{0.229, 0.224, 0.225}
)

// Files is N labelled image files, scaled and cropped to one shape as in the published recipe for ImageNet.
//
// A file is decoded each time its image is read. For evaluation an image is scaled to cover 8/7 of the height and
// width (256 for 224) and the middle is cropped; for training a random box of 8 to 100 % of the area, with
// sides of ratio 3/4 to 4/3, is scaled to the whole image and mirrored half of the time.
//
// Decoding, scaling and drawing are integers and exactly rounded operations, so the bytes are the same on
// every architecture. They differ from those of a pipeline with libjpeg, which upsamples chrominance in
// another way: single values differ by some levels. Grey images become three equal channels, or colours one, 16 bits are cut
// to 8, transparency is dropped, CMYK is converted without a colour profile, an EXIF orientation is ignored, as
// it is by the usual pipelines, and of a moving picture the first one counts.
type Files struct {
	Name    string // such as "val of FOLDER"
	Classes []string

	at      tree
	folder  string
	folders []string // those of the classes, below folder
	files   []string // below folder
	labels  []int32
	shape   [3]int
	margin  bool  // whether images are scaled to cover more than the shape for evaluation
	sums    []sum // of the files' contents, once Check has read them

	broken    Broken
	evaluated bool // whether a broken image is left out, rather than replaced
	failures  *failures
}

// Folder is the training and the test images of a folder.
type Folder struct {
	Train, Test *Files   // either may be without images
	Ignored     int      // files in the classes' folders whose names are not those of images
	Others      []string // folders beside these that may hold images and are not read, such as test beside val
}

// OpenPictures lists image files without labels: the file of the disk at path, or those in a folder and the folders in it,
// as OpenFolder takes them, to be brought to a shape. Other files are counted. It panics if CheckShape does not approve of the shape.
func OpenPictures(path string, shape [3]int) (s *Files, ignored int, err error) {
	return openPictures(disk, path, shape)
}

// OpenPicturesFS is OpenPictures for a file or folder of a file system; "." is all of it.
func OpenPicturesFS(fsys fs.FS, name string, shape [3]int) (s *Files, ignored int, err error) {
	return openPictures(treeOf(fsys), name, shape)
}

func openPictures(at tree, name string, shape [3]int) (s *Files, ignored int, err error) {
	mustBeShape("OpenPictures", shape)
	s = &Files{Name: name, at: at, folder: name, shape: shape, margin: true, failures: &failures{}, evaluated: true}
	switch {
	case at.isDir(name):
		s.files, ignored, err = at.listImages(name)
		if err == nil && len(s.files) == 0 {
			err = fmt.Errorf("%s holds no image of %s, but %s: %w", name, Formats, at.contents(name), fs.ErrNotExist)
		}
	default:
		_, err = fs.Stat(at.fsys, name)
		folder, file := at.split(name)
		s.folder, s.files = folder, []string{file}
	}
	s.labels = make([]int32, len(s.files))
	return s, ignored, err
}

// WithoutMargin returns the same images, scaled for evaluation to cover the shape itself and no more, so
// that images of that size stay as they are: for networks that were trained on images of one size.
func (s *Files) WithoutMargin() *Files {
	t := *s
	t.margin = false
	return &t
}

// Len returns N.
func (s *Files) Len() int { return len(s.labels) }

// Shape returns that of the images that Plain and Augment write.
func (s *Files) Shape() [3]int { return s.shape }

// Label returns the label of image i.
func (s *Files) Label(i int) int { return int(s.labels[i]) }

// String returns the set's name.
func (s *Files) String() string { return s.Name }

// File returns the path of image i.
func (s *Files) File(i int) string { return s.at.join(s.folder, s.files[i]) }

// ImageName returns the path of image i below the folder of the set.
func (s *Files) ImageName(i int) string { return s.files[i] }

// Plain writes image i as it is evaluated to dst, channels x height x width bytes. An error names the file; what
// becomes of a file that cannot be read, Tolerate tells. It panics if dst has another length.
func (s *Files) Plain(dst []byte, i int) error {
	s.check("Plain", dst)
	return s.read(i, func(j int) error {
		return s.at.decodeFile(s.File(j), func(m image.Image) { copy(dst, Pixels(m, s.shape, s.margin)) })
	})
}

// Augment writes image i as it is trained on at a position of an epoch to dst, channels x height x width bytes:
// with the crop that drawResizedCrop gives. Errors and panics are Plain's.
func (s *Files) Augment(dst []byte, i int, draws random.Stream, epoch, position uint64) error {
	s.check("Augment", dst)
	return s.read(i, func(j int) error {
		return s.at.decodeFile(s.File(j), func(m image.Image) {
			size := m.Bounds().Size()
			crop := drawResizedCrop(draws, epoch, position, size.X, size.Y)
			box := pixels(m, crop.Box.Add(m.Bounds().Min), s.shape[0])
			scale(dst, s.shape, box, crop.Box.Dx(), crop.Box.Dy(), s.shape[2], s.shape[1], 0, 0)
			if crop.Flip {
				mirror(dst, s.shape[2])
			}
		})
	})
}

func (s *Files) check(op string, dst []byte) {
	if want := elements(s.shape); len(dst) != want {
		panic(misuse.Errorf("data: %s: dst has %d bytes, want %d x %d x %d = %d", op, len(dst), s.shape[0], s.shape[1],
			s.shape[2], want))
	}
}
