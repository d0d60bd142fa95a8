package torchfile

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"sdref/internal/pickle"
)

// globals are what a file's pickle may call: containers, the storages' types, what makes tensors and NumPy's
// arrays. The depth is how many files the pickle's own lies in.
func globals(depth int) map[string]any {
	g := maps.Clone(rebuilders)
	for name, f := range map[string]pickle.Func{
		"collections.OrderedDict": dictionary,
		"collections.Counter":     dictionary, // a schedule's milestones
		"collections.defaultdict": func(args pickle.Tuple) (any, error) { return dictionary(args[min(1, len(args)):]) },
		"builtins.dict":           dictionary,
		"builtins.list":           list,
		"builtins.set":            list,
		"builtins.frozenset":      list,
		"builtins.tuple":          list,
		"builtins.bytearray":      bytearray,
		"builtins.bytes":          bytearray,
		"_codecs.encode":          encodeText,
		"copyreg._reconstructor":  reconstruct,
		"copyreg.__newobj__":      newObject,
		"copyreg.__newobj_ex__":   func(args pickle.Tuple) (any, error) { return newObject(args[:min(1, len(args))]) },
		"torch.storage._load_from_bytes": func(args pickle.Tuple) (any, error) {
			return fromBytes(args, depth)
		},
	} {
		g[name] = f
		// Python 2's names, which protocols up to 2 use.
		g[strings.Replace(name, "builtins.", "__builtin__.", 1)] = f
		g[strings.Replace(name, "copyreg.", "copy_reg.", 1)] = f
	}
	for name, f := range arrays {
		g["numpy."+name] = f
		g["numpy."+strings.Replace(name, "core.", "_core.", 1)] = f // NumPy 2's name
	}
	return g
}

// An attack is refused by its name: these are what a pickle calls to run a program or to change files, and no
// file of weights has a use for them. The list is a service to whoever looks at such a file, and no defence,
// which is that nothing is called.
var attacks = map[string]string{
	"os": "*", "posix": "*", "nt": "*", "subprocess": "*", "commands": "*", "pty": "*", "popen2": "*", "shutil": "*", "socket": "*",
	"runpy": "*", "webbrowser": "*", "ctypes": "*", "importlib": "*", "code": "*", "timeit": "*", "pip": "*", "urllib.request": "*",
	"builtins": "eval exec execfile compile __import__ open", "__builtin__": "eval exec execfile compile __import__ open",
	"io": "open", "_io": "open", "sys": "settrace setprofile", "torch": "load", "pickle": "load loads",
}

// harmless are the classes in the modules of which attacks has all.
const harmless = " stat_result terminal_size _Environ PathLike DirEntry uname_result times_result TimeoutExpired CompletedProcess "

// allowed refuses the names of attacks.
func allowed(g pickle.Global) error {
	names, ok := attacks[g.Module]
	if !ok && strings.HasPrefix(g.Module, "ctypes.") {
		names, ok = "*", true
	}
	base, _, _ := strings.Cut(g.Name, ".")
	if ok && (names == "*" && !strings.Contains(harmless, " "+base+" ") || strings.Contains(" "+names+" ", " "+base+" ")) {
		return fmt.Errorf("the pickle names %q, which is not allowed", g)
	}
	return nil
}

// dictionary makes a dictionary: empty, another one's, or of pairs.
func dictionary(args pickle.Tuple) (any, error) {
	d := &pickle.Dict{}
	if len(args) == 0 || args[0] == nil {
		return d, nil
	}
	items, ok := itemsOf(args[0])
	if from, isDict := args[0].(*pickle.Dict); isDict {
		return from, nil
	} else if !ok {
		return nil, fmt.Errorf("a dictionary of a %T", args[0])
	}
	for _, item := range items {
		pair, ok := itemsOf(item)
		if !ok || len(pair) != 2 {
			return nil, errors.New("a dictionary of what are no pairs")
		}
		d.Set(pair[0], pair[1])
	}
	return d, nil
}

// itemsOf are the items of a list or a tuple.
func itemsOf(value any) ([]any, bool) {
	switch v := value.(type) {
	case *pickle.List:
		return v.Items, true
	case pickle.Tuple:
		return v, true
	}
	return nil, false
}

// list makes a list, a set or a tuple, which are the same here.
func list(args pickle.Tuple) (any, error) {
	if len(args) == 0 {
		return &pickle.List{}, nil
	}
	items, ok := itemsOf(args[0])
	if !ok {
		return nil, fmt.Errorf("a list of a %T", args[0])
	}
	return &pickle.List{Items: items[:len(items):len(items)]}, nil
}

// bytearray makes bytes: none, those of other bytes, or those of a text in an encoding.
func bytearray(args pickle.Tuple) (any, error) {
	if len(args) == 0 {
		return []byte{}, nil
	}
	if b, ok := args[0].([]byte); ok {
		return b, nil
	}
	return encodeText(args)
}

// encodeText makes bytes of a text, as protocols without bytes of their own have them: each character is a byte.
func encodeText(args pickle.Tuple) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("an encoding of nothing")
	}
	text, ok := args[0].(string)
	if !ok {
		return nil, fmt.Errorf("an encoding of a %T", args[0])
	}
	if len(args) > 1 {
		switch args[1] {
		case any("latin1"), any("latin-1"), any("iso-8859-1"):
		case any("utf-8"), any("utf8"), any("ascii"):
			return []byte(text), nil
		default:
			return nil, errors.New("bytes in an encoding that is neither latin1 nor UTF-8")
		}
	}
	b := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 255 {
			return nil, fmt.Errorf("a text for bytes with the character %q", r)
		}
		b = append(b, byte(r))
	}
	return b, nil
}

// bytesOf are the bytes of a value that Python 3, or Python 2, writes for bytes.
func bytesOf(value any) ([]byte, bool) {
	switch v := value.(type) {
	case []byte:
		return v, true
	case string:
		return []byte(v), true
	}
	return nil, false
}

// reconstruct makes an instance as protocols 0 and 1 do: (class, the base that holds its items, those items).
func reconstruct(args pickle.Tuple) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("an instance of nothing")
	}
	o, err := newObject(args[:1])
	made, ok := o.(*pickle.Object)
	if err != nil || !ok || len(args) < 3 {
		return o, err
	}
	switch items := args[2].(type) {
	case *pickle.Dict:
		made.Values = *items
	case *pickle.List:
		made.Items = *items
	}
	return made, nil
}

// newObject makes an instance of a class, of which nothing is called: (class, arguments...).
func newObject(args pickle.Tuple) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("an instance of nothing")
	}
	switch class := args[0].(type) {
	case pickle.Func:
		return class(args[1:])
	case pickle.Global:
		return &pickle.Object{Class: class, Args: args[1:]}, nil
	}
	return nil, fmt.Errorf("an instance of a %T", args[0])
}
