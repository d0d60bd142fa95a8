package data

import (
	"fmt"
	"image"
	"io/fs"
	"os"
	"path/filepath"

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

// Files is N labelled image files, scaled and cropped to one height and width as in the published recipe for
// ImageNet.
//
// A file is decoded each time its image is read. For evaluation the shorter side is scaled to 8/7 of the
// extent (256 for 224) and the middle is cropped; for training a random box of 8 to 100 % of the area, with
// sides of ratio 3/4 to 4/3, is scaled to the whole image and mirrored half of the time.
//
// Decoding, scaling and drawing are integers and exactly rounded operations, so the bytes are the same on
// every architecture. They differ from those of a pipeline with libjpeg, which upsamples chrominance in
// another way: single values differ by some levels. Grey images become three equal channels, 16 bits are cut
// to 8, transparency is dropped, CMYK is converted without a colour profile, an EXIF orientation is ignored, as
// it is by the usual pipelines, and of a moving picture the first one counts.
type Files struct {
	Name    string // such as "val of FOLDER"
	Classes []string

	folder  string
	folders []string // those of the classes, below folder
	files   []string // below folder
	labels  []int32
	extent  int
	side    int   // what the shorter side is scaled to for evaluation
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

// OpenPictures lists image files without labels: the file at path, or those in a folder and the folders in it,
// as OpenFolder takes them. Other files are counted.
func OpenPictures(path string, extent int) (s *Files, ignored int, err error) {
	s = &Files{Name: path, folder: path, extent: extent, side: extent * 8 / 7, failures: &failures{}, evaluated: true}
	switch {
	case isDir(path):
		s.files, ignored, err = listImages(path)
		if err == nil && len(s.files) == 0 {
			err = fmt.Errorf("%s holds no image of %s, but %s: %w", path, Formats, contents(path), fs.ErrNotExist)
		}
	default:
		_, err = os.Stat(path)
		s.folder, s.files = filepath.Dir(path), []string{filepath.Base(path)}
	}
	s.labels = make([]int32, len(s.files))
	return s, ignored, err
}

// WithoutMargin returns the same images, whose shorter side is scaled to the extent itself for evaluation, so
// that images of that size stay as they are: for networks that were trained on images of one size.
func (s *Files) WithoutMargin() *Files {
	t := *s
	t.side = s.extent
	return &t
}

// Len returns N.
func (s *Files) Len() int { return len(s.labels) }

// Extent returns the height and width of the images that Plain and Augment write.
func (s *Files) Extent() int { return s.extent }

// Label returns the label of image i.
func (s *Files) Label(i int) int { return int(s.labels[i]) }

// String returns the set's name.
func (s *Files) String() string { return s.Name }

// File returns the path of image i.
func (s *Files) File(i int) string { return filepath.Join(s.folder, s.files[i]) }

// ImageName returns the path of image i below the folder of the set.
func (s *Files) ImageName(i int) string { return s.files[i] }

// Plain writes image i as it is evaluated to dst, 3 x Extent x Extent bytes. An error names the file; what
// becomes of a file that cannot be read, Tolerate tells. It panics if dst has another length.
func (s *Files) Plain(dst []byte, i int) error {
	s.check("Plain", dst)
	return s.read(i, func(j int) error {
		return decodeFile(s.File(j), func(m image.Image) { copy(dst, Pixels(m, s.side, s.extent)) })
	})
}

// Augment writes image i as it is trained on at a position of an epoch to dst, 3 x Extent x Extent bytes:
// with the crop that drawResizedCrop gives. Errors and panics are Plain's.
func (s *Files) Augment(dst []byte, i int, draws random.Stream, epoch, position uint64) error {
	s.check("Augment", dst)
	return s.read(i, func(j int) error {
		return decodeFile(s.File(j), func(m image.Image) {
			size := m.Bounds().Size()
			crop := drawResizedCrop(draws, epoch, position, size.X, size.Y)
			scale(dst, s.extent, pixels(m, crop.Box.Add(m.Bounds().Min)), crop.Box.Dx(), crop.Box.Dy(), s.extent,
				s.extent, 0, 0)
			if crop.Flip {
				mirror(dst, s.extent)
			}
		})
	})
}

func (s *Files) check(op string, dst []byte) {
	if want := 3 * s.extent * s.extent; len(dst) != want {
		panic(misuse.Errorf("data: %s: dst has %d bytes, want 3 x %d x %d = %d", op, len(dst), s.extent,
			s.extent, want))
	}
}
