package torchfile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"

	"sdref/internal/pickle"
)

// The first two pickles of an old file.
var legacyNumber, _ = new(big.Int).SetString("1950a86a20f9469cfc6c", 16)

const legacyProtocol = 1001

// readLegacy reads a file as PyTorch wrote them before 1.6: the pickles of a magic number, a protocol, the machine's sizes, the
// value and the list of the storages' keys; then for each key the number of elements, 8 bytes, and the elements, all of it
// little-endian on any machine.
func readLegacy(in *bufio.Reader, size int64) (any, error) {
	storages := map[string]*storage{}
	d := &pickle.Decoder{In: in, Limit: min(size, maxPickle), Globals: globals}
	if number, err := d.Decode(); err != nil {
		return nil, fmt.Errorf("magic number: %w", err)
	} else if n, ok := number.(*big.Int); !ok || n.Cmp(legacyNumber) != 0 {
		return nil, errors.New("another magic number")
	}
	if protocol, err := d.Decode(); err != nil {
		return nil, fmt.Errorf("protocol: %w", err)
	} else if protocol != any(int64(legacyProtocol)) {
		return nil, fmt.Errorf("protocol: want %d", legacyProtocol)
	}
	if _, err := d.Decode(); err != nil {
		return nil, fmt.Errorf("the machine's sizes: %w", err)
	}
	d.Persistent = func(id any) (any, error) {
		k, key, elements, err := storageOf(id)
		if err != nil {
			return nil, err
		}
		s := storages[key]
		if s == nil {
			s = &storage{kind: k, elements: elements, order: binary.LittleEndian}
			storages[key] = s
		}
		if s.name != k.name || s.elements != elements {
			return nil, fmt.Errorf("storage %s: %d elements of %s, and %d of %s elsewhere", key, elements, k.name, s.elements, s.name)
		}
		return s, nil
	}
	value, err := d.Decode()
	if err != nil {
		return nil, err
	}
	d.Persistent = nil
	keys, err := d.Decode()
	if err != nil {
		return nil, fmt.Errorf("list of storages: %w", err)
	}
	return value, readStorages(in, size, keys, storages)
}

// readStorages reads the storages in the order of the list of their keys.
func readStorages(in io.Reader, size int64, keys any, storages map[string]*storage) error {
	list, ok := keys.(*pickle.List)
	if !ok {
		return fmt.Errorf("list of storages: a %T", keys)
	}
	read := 0
	for _, item := range list.Items {
		key, ok := item.(string)
		s := storages[key]
		if !ok || s == nil || s.raw != nil {
			return fmt.Errorf("list of storages: %.40q is not one, or comes twice", key)
		}
		var prefix [8]byte
		if _, err := io.ReadFull(in, prefix[:]); err != nil {
			return fmt.Errorf("storage %s: %w", key, err)
		}
		if n := binary.LittleEndian.Uint64(prefix[:]); n != uint64(s.elements) || s.elements > int(size)/s.size {
			return fmt.Errorf("storage %s: %d elements, want %d, in a file of %d bytes", key, n, s.elements, size)
		}
		s.raw = make([]byte, s.elements*s.size)
		if _, err := io.ReadFull(in, s.raw); err != nil {
			return fmt.Errorf("storage %s: %w", key, err)
		}
		read++
	}
	if read != len(storages) {
		return fmt.Errorf("%d of %d storages are there", read, len(storages))
	}
	if _, err := io.ReadFull(in, make([]byte, 1)); err != io.EOF {
		return errors.New("bytes after the last storage")
	}
	return nil
}
