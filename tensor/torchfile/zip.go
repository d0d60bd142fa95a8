package torchfile

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"sdref/internal/pickle"
)

// archive is an opened zip archive.
type archive struct {
	records  map[string]*zip.File // by name, without the archive's own folder
	order    binary.ByteOrder
	storages map[string]*storage
}

// readZip reads a file of PyTorch 1.6 or later: NAME/data.pkl, NAME/data/KEY for each storage, NAME/version
// and, since 2.1, NAME/byteorder.
func readZip(r io.ReaderAt, size int64) (value any, note string, err error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, "", err
	}
	a := &archive{order: binary.LittleEndian, storages: map[string]*storage{}}
	if err := a.index(z, size); err != nil {
		return nil, "", err
	}
	if err := a.byteOrder(); err != nil {
		return nil, "", err
	}
	// Whole, so that its checksum is compared before anything is made of it.
	program, err := a.read("data.pkl")
	if err != nil {
		return nil, "", err
	}
	d := pickle.Decoder{In: bufio.NewReader(watched{bytes.NewReader(program), r}), Limit: int64(len(program)) + 1, Globals: globals(0),
		Unknown: allowed, Persistent: a.storage}
	if value, err = d.Decode(); err != nil {
		return nil, "", fmt.Errorf("record %s: %w", shown(a.records["data.pkl"].Name), err)
	}
	if a.records[NoteRecord] != nil {
		text, err := a.read(NoteRecord)
		if err != nil {
			return nil, "", err
		}
		note = string(text)
	}
	return value, note, nil
}

// watched is a reader of what has been read from a file, which fails once reading from the file does: its
// user may have stopped it.
type watched struct {
	io.Reader
	file io.ReaderAt
}

func (w watched) Read(p []byte) (int, error) {
	if _, err := w.file.ReadAt(nil, 0); err != nil && err != io.EOF {
		return 0, err
	}
	return w.Reader.Read(p)
}

// index finds the archive's folder, the one that holds a data.pkl, and its records. Records are not
// compressed, as torch.save leaves them, and do not overlap, so that they cannot be larger than the file.
func (a *archive) index(z *zip.Reader, size int64) error {
	folder, found := "", 0
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/constants.pkl") {
			return errors.New("a TorchScript archive: save its state_dict by torch.save")
		}
		if strings.HasSuffix(f.Name, ".npy") {
			return errors.New("an archive of NumPy's arrays (.npz)")
		}
		if strings.HasSuffix(f.Name, "/data.pkl") {
			folder, found = strings.TrimSuffix(f.Name, "data.pkl"), found+1
		}
	}
	if found != 1 {
		return fmt.Errorf("a zip archive with %d records data.pkl, where a file of torch.save has one", found)
	}
	a.records = map[string]*zip.File{}
	total := uint64(0)
	for _, f := range z.File {
		name, inside := strings.CutPrefix(f.Name, folder)
		if !inside {
			continue
		}
		total += f.UncompressedSize64
		switch {
		case f.Method != zip.Store || f.UncompressedSize64 != f.CompressedSize64:
			return fmt.Errorf("record %s is compressed, which torch.save does not do", shown(f.Name))
		case f.UncompressedSize64 > uint64(size) || total > uint64(size):
			return fmt.Errorf("the records claim more than the file's %d bytes", size)
		case a.records[name] != nil:
			return fmt.Errorf("two records %s", shown(f.Name))
		}
		a.records[name] = f
	}
	return nil
}

// byteOrder reads how the storages' numbers lie. Without the record they are little-endian.
func (a *archive) byteOrder() error {
	if a.records["byteorder"] == nil {
		return nil
	}
	text, err := a.read("byteorder")
	switch {
	case err != nil:
		return err
	case string(text) == "big":
		a.order = binary.BigEndian
	case string(text) != "little":
		return fmt.Errorf("record byteorder says %.20q", text)
	}
	return nil
}

// read returns the bytes of a record, whose checksum must be right.
func (a *archive) read(name string) ([]byte, error) {
	record := a.records[name]
	if record == nil {
		return nil, fmt.Errorf("there is no record %s", shown(name))
	}
	opened, err := record.Open()
	if err != nil {
		return nil, fmt.Errorf("record %s: %w", shown(record.Name), err)
	}
	defer opened.Close()
	text := make([]byte, record.UncompressedSize64)
	if _, err := io.ReadFull(opened, text); err != nil {
		return nil, fmt.Errorf("record %s: %w", shown(record.Name), err)
	}
	if _, err := opened.Read(make([]byte, 1)); err != io.EOF { // the end is where the checksum is compared
		return nil, fmt.Errorf("record %s: %w", shown(record.Name), err)
	}
	return text, nil
}

// shown is a text of a foreign file as a message can bear it, on one line.
func shown(text string) string {
	if len(text) > 100 {
		text = text[:100] + "..."
	}
	if q := strconv.Quote(text); q != `"`+text+`"` {
		return q
	}
	return text
}

// storage reads the storage that the pickle refers to, or returns it once more.
func (a *archive) storage(id any) (any, error) {
	r, err := reference(id)
	if err != nil {
		return nil, err
	}
	if r.unknown.Name != "" {
		return &pickle.Object{Class: r.unknown}, nil
	}
	if r.part {
		return nil, errors.New("a part of a storage, as PyTorch wrote them before 0.4")
	}
	k, key, elements := r.kind, r.key, r.elements
	s := a.storages[key]
	if s == nil {
		raw, err := a.read("data/" + key)
		if err != nil {
			return nil, err
		}
		s = &storage{kind: k, elements: elements, raw: raw, order: a.order}
		a.storages[key] = s
	}
	if s.name != k.name || s.elements != elements || len(s.raw) < elements*k.size {
		return nil, fmt.Errorf("storage %s: %d elements of %s, where %d bytes of %s are stored", shown(key), elements, k.name, len(s.raw), s.name)
	}
	return s, nil
}
