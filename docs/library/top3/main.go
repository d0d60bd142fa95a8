// What is on a PNG file: top3 FILE.
package main

import (
	"fmt"
	"image/png"
	"log"
	"os"

	"sdref/sdnet/classify"
)

func main() {
	network, err := classify.Open("pretrained:sdnet_air_whitened")
	if err != nil {
		log.Fatal(err)
	}
	file, err := os.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	picture, err := png.Decode(file)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(network.Top(picture, 3))
}
