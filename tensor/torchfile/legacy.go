package torchfile

import (
	"bufio"
	"bytes"
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

// maxDepth bounds how often a file of this kind may lie in another as the bytes of a storage.
const maxDepth = 3

// readLegacy reads a file as PyTorch wrote them before 1.6: the pickles of a magic number, a protocol, the
// machine's sizes, the value and the list of the storages' keys; then for each key the number of elements, 8
// bytes, and the elements, all of it little-endian on any machine.
func readLegacy(in *bufio.Reader, size int64, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("files in files, more than %d deep", maxDepth)
	}
	d := &pickle.Decoder{In: in, Limit: size, Globals: globals(depth), Unknown: allowed}
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
	storages := legacyStorages{}
	d.Persistent = storages.find
	value, err := d.Decode()
	if err != nil {
		return nil, err
	}
	d.Persistent = nil
	keys, err := d.Decode()
	if err != nil {
		return nil, fmt.Errorf("list of storages: %w", err)
	}
	return value, storages.read(in, size, keys)
}

// fromBytes is torch.storage._load_from_bytes, which pickle.dump writes for a storage: an old file whose
// value is the storage.
func fromBytes(args pickle.Tuple, depth int) (any, error) {
	if len(args) != 1 {
		return nil, errors.New("a storage that is not bytes")
	}
	file, ok := bytesOf(args[0])
	if !ok {
		return nil, fmt.Errorf("a storage that is a %T", args[0])
	}
	return readLegacy(bufio.NewReader(bytes.NewReader(file)), int64(len(file)), depth+1)
}

// legacyStorages are the storages of an old file by their keys.
type legacyStorages map[string]*storage

// find returns the storage that the pickle refers to, or a part of it.
func (l legacyStorages) find(id any) (any, error) {
	r, err := reference(id)
	if err != nil {
		return nil, err
	}
	if r.unknown.Name != "" {
		return nil, fmt.Errorf("a storage of type %s, whose size is not known", shown(r.unknown.String()))
	}
	s := l[r.key]
	if s == nil {
		s = &storage{kind: r.kind, elements: r.elements, order: binary.LittleEndian}
		l[r.key] = s
	}
	if s.name != r.kind.name || s.elements != r.elements {
		return nil, fmt.Errorf("storage %s: %d elements of %s, and %d of %s elsewhere", shown(r.key), r.elements, r.kind.name, s.elements, s.name)
	}
	if !r.part {
		return s, nil
	}
	if r.from > s.elements || r.count > s.elements-r.from {
		return nil, fmt.Errorf("storage %s: elements %d to %d of %d", shown(r.key), r.from, r.from+r.count, s.elements)
	}
	return &storage{kind: r.kind, elements: r.count, order: s.order, of: s, from: r.from}, nil
}

// read reads the storages in the order of the list of their keys.
func (l legacyStorages) read(in io.Reader, size int64, keys any) error {
	list, ok := keys.(*pickle.List)
	if !ok {
		return fmt.Errorf("list of storages: a %T", keys)
	}
	read := 0
	for _, item := range list.Items {
		key, ok := item.(string)
		s := l[key]
		if !ok || s == nil || s.raw != nil {
			return fmt.Errorf("list of storages: %.40q is not one, or comes twice", key)
		}
		var prefix [8]byte
		if _, err := io.ReadFull(in, prefix[:]); err != nil {
			return fmt.Errorf("storage %s: %w", shown(key), err)
		}
		if n := binary.LittleEndian.Uint64(prefix[:]); n != uint64(s.elements) || s.elements > int(size)/s.size {
			return fmt.Errorf("storage %s: %d elements, want %d, in a file of %d bytes", shown(key), n, s.elements, size)
		}
		s.raw = make([]byte, s.elements*s.size)
		if _, err := io.ReadFull(in, s.raw); err != nil {
			return fmt.Errorf("storage %s: %w", shown(key), err)
		}
		read++
	}
	if read != len(l) {
		return fmt.Errorf("%d of %d storages are there", read, len(l))
	}
	if _, err := io.ReadFull(in, make([]byte, 1)); err != io.EOF {
		return errors.New("bytes after the last storage")
	}
	return nil
}
