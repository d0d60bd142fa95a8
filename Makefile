# make run: train a narrow SDNet on drawn images, in about a minute, and evaluate it on unseen ones.
# make test: all tests.
.PHONY: run test bench

run:
	go run ./cmd/ref train

test:
	go test -count=1 ./...

# The speed of the kernels and of the contractions, and the share of the machine's multiply-add peak.
bench:
	go test -run '^$$' -bench . ./internal/kernel ./tensor ./conv
