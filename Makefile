# make run: train a narrow SDNet on drawn images, in about a minute, and evaluate it on unseen ones.
# make test: all tests.
# make bench: how fast everything is here.
.PHONY: run test bench

run:
	go run ./cmd/ref train

test:
	go test -count=1 -timeout 30m ./...

# The speed of everything on this machine; go test -bench . ./internal/kernel ./tensor ./conv has it per kernel row.
bench:
	go run ./cmd/ref bench
