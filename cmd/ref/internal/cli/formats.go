package cli

import (
	_ "golang.org/x/image/bmp" // registers the format for image.Decode
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)
