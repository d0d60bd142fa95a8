package data

import (
	"slices"
	"strings"
)

// layout is the labels of one of the two data sets, and its files in either form.
type layout struct {
	name      string
	dataset   string   // the name in checkpoints
	members            // the binary form
	python    members  // the form of Python's pickles
	classes   []string // used where the file of names is absent
	coarse    int      // the number of superclasses; 0: no coarse label byte
	mean, std [Channels]float64
	sums      map[string]string // SHA-256 of the official binary files, in hexadecimal
}

// members are the files of a form.
type members struct {
	folder      string // in the official archive
	archive     string
	train, test []string
	names       string // the file with the class names
	pickled     bool
}

// labelBytes is the number of label bytes before the pixels of a record.
func (l *layout) labelBytes() int {
	if l.coarse > 0 {
		return 2
	}
	return 1
}

// files are those with images.
func (m members) files() []string { return append(slices.Clone(m.train), m.test...) }

// official is the sum of the records that the official file of a name holds. Both forms have the same images
// in the same files, which are numbered alike.
func (l *layout) official(m members, file string) string {
	return l.sums[l.members.files()[slices.Index(m.files(), file)]]
}

// The means and standard deviations are those of the usual training recipes, including the published one.
var layouts = []*layout{
	{
		name:    "CIFAR-10",
		dataset: "cifar10",
		members: members{
			folder: "cifar-10-batches-bin", archive: "cifar-10-binary.tar.gz",
			train: []string{
				"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
				"data_batch_5.bin",
			},
			test: []string{"test_batch.bin"}, names: "batches.meta.txt",
		},
		python: members{
			folder: "cifar-10-batches-py", archive: "cifar-10-python.tar.gz",
			train: []string{"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"},
			test:  []string{"test_batch"}, names: "batches.meta", pickled: true,
		},
		classes: strings.Fields("airplane automobile bird cat deer dog frog horse ship truck"),
		mean:    [Channels]float64{0.4914, 0.4822, 0.4465},
		std:     [Channels]float64{0.2023, 0.1994, 0.2010},
		sums: map[string]string{
			"data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
			"data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
			"data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
			"data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
			"data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
			"test_batch.bin":   "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
		},
	},
	{
		name:    "CIFAR-100",
		dataset: "cifar100",
		members: members{
			folder: "cifar-100-binary", archive: "cifar-100-binary.tar.gz",
			train: []string{"train.bin"}, test: []string{"test.bin"}, names: "fine_label_names.txt",
		},
		python: members{
			folder: "cifar-100-python", archive: "cifar-100-python.tar.gz",
			train: []string{"train"}, test: []string{"test"}, names: "meta", pickled: true,
		},
		classes: strings.Fields(fineNames),
		coarse:  20,
		mean:    [Channels]float64{0.5071, 0.4867, 0.4408},
		std:     [Channels]float64{0.2675, 0.2565, 0.2761},
	},
}

// fineNames are the classes of CIFAR-100 in the order of their labels, which is alphabetical.
const fineNames = `
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle
bowl boy bridge bus butterfly camel can castle caterpillar cattle
chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur
dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard
lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain
mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree
plain plate poppy porcupine possum rabbit raccoon ray road rocket
rose sea seal shark shrew skunk skyscraper snail snake spider
squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
train trout tulip turtle wardrobe whale willow_tree wolf woman worm`
