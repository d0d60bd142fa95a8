package statedict

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"sdref/sdnet/data"
	"sdref/tensor/safetensors"
	"sdref/tensor/torchfile"
)

func TestForeignNames(t *testing.T) {
	for ours, theirs := range map[string]string{
		"layer0.0.weight": "conv1.weight", "layer0.1.running_var": "bn1.running_var", "linear.bias": "fc.bias", "layer3.0.shortcut.1.weight": "layer3.0.downsample.1.weight",
		"layer1.0.conv1.weight": "", "layer0.0.dn.weight": "conv1.dn.weight",
	} {
		if got := foreign(ours); got != theirs {
			t.Errorf("%s is %q, want %q", ours, got, theirs)
		}
	}
}

func TestRename(t *testing.T) {
	for _, c := range []struct{ rule, name, want string }{
		{"a=b", "a", "b"}, {"a=b", "aa", ""}, {"a.*=b.*", "a.x.y", "b.x.y"}, {"*.a.*=*.*", "x.a.y", "x.y"}, {"a.*=b", "a.x", "b"}, {"a=b", "p.a", "p.b"},
		{"p.a=q.b", "p.a", "q.b"}, {"a.*=*", "a.*b*", "*b*"}, {"(a=b", "(a", "b"}, {"a*=x*", "a\nb", "x\nb"},
	} {
		r, err := ParseRename(c.rule)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := r.apply(c.name, []string{"p.", ""})
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s of %q is %q, %t, want %q", c.rule, c.name, got, ok, c.want)
		}
	}
	for _, rule := range []string{"", "a", "=b", "a=", "a=*", "a*=**"} {
		if _, err := ParseRename(rule); err == nil {
			t.Errorf("%q is accepted", rule)
		}
	}
}

// What lies beside tensors is settings of this program, or is refused where it cannot be.
func TestSettings(t *testing.T) {
	net := initialised(t, "sdnet8_narrow", "cifar10")
	images := data.Description{Classes: data.ClassNames("cifar10"), Size: 32, Std: [3]float64{1, 1, 1}}
	want := SettingsOf(net.Spec, &images)
	twice, ten := want, images
	ten.Classes = append([]string{"cat"}, ten.Classes[:9]...)
	twice.Images = &ten
	nine := images
	nine.Classes = nine.Classes[:9]
	short := want
	short.Images = &nine
	list := []safetensors.Tensor{safetensors.New("linear.weight", []int{1, 1}, []float32{1})}
	for text, says := range map[string]string{
		want.String(): "", twice.String(): "class cat comes twice", short.String(): "9 names of 10", "{": "unexpected end", strings.Repeat(" ", 1<<24+1): "16777217 bytes", `{"size":1,"classes":0}`: "0 classes", `{"size":100000,"classes":1}`: "side 100000",
	} {
		pth, st := filepath.Join(t.TempDir(), "a.pth"), filepath.Join(t.TempDir(), "a.safetensors")
		if err := torchfile.WriteNoted(pth, list, text); err != nil {
			t.Fatal(err)
		}
		if err := safetensors.Write(st, &safetensors.File{Metadata: map[string]string{SettingsKey: text, "a": "b"}, Tensors: list}); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{pth, st} {
			d, err := Open(path)
			if says == "" && (err != nil || d.Settings == nil || !reflect.DeepEqual(*d.Settings, want) || strings.Contains(fmt.Sprint(d.Scalars), "network")) {
				t.Errorf("%s: %+v, %v", path, d, err)
			}
			if says != "" && (err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), path)) {
				t.Errorf("%.20s: %v, want %q", text, err, says)
			}
		}
	}
}
