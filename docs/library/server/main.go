// A server that says what is on a picture: curl --data-binary @cat.png localhost:8080. The classifier serves any number of requests at
// once; each has a predictor of its own.
package main

import (
	"bytes"
	"encoding/json"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"log"
	"net/http"

	"sdref/sdnet/classify"
	"sdref/sdnet/data"
)

const mostBytes = 10 << 20

func handler(c *classify.Classifier) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBytes))
		if err == nil { // ReadImage limits the memory of pictures that claim to be large
			err = data.ReadImage(bytes.NewReader(body), int64(len(body)), func(m image.Image) {
				w.Header().Set("Content-Type", "application/json")
				json.NewEncoder(w).Encode(c.Top(m, 3))
			})
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
}

func main() {
	network, err := classify.Open("pretrained:sdnet_air_whitened")
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("localhost:8080", handler(network)))
}
