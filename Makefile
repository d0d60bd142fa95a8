# make run: train a narrow SDNet on drawn images, in about a minute, and evaluate it on unseen ones.
# make test: the tests, less those that take long. make test-all: all of them, as go test ./... runs them. Neither does what go vet does,
# for which .ci/run has a step.
# make bench: how fast everything is here.
.PHONY: run test test-all bench

# The command is ref train; alone it compiles in half the time.
run:
	@echo "compiling, half a minute the first time; then the run says how long it will take"
	go run ./cmd/ref/train

# The compiler has little in memory: with garbage collected less often it takes a fifth less. The tests have Go's own setting.
compile = -toolexec "env GOGC=400"

test:
	go test $(compile) -vet=off -short -count=1 -timeout 30m ./...

test-all:
	go test $(compile) -vet=off -count=1 -timeout 30m ./...

# The speed of everything on this machine; go test -bench . ./internal/kernel ./tensor ./conv has it per kernel row.
bench:
	go run ./cmd/ref bench
