package statedict

import (
	"strings"

	"sdref/sdnet"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

// Export lists a network's tensors as the published checkpoints have them: with the number of batches that each BatchNorm has
// seen, and without power-iteration vectors, which the published networks do not save. The tensors share the network's memory.
func Export[T tensor.Float](net *sdnet.Network[T], batches int) []safetensors.Tensor {
	var list []safetensors.Tensor
	for _, s := range net.State() {
		if strings.HasSuffix(s.Name, ".dn.v0") {
			continue
		}
		list = append(list, safetensors.New(s.Name, s.Shape, s.Data))
		if norm, ok := strings.CutSuffix(s.Name, ".running_var"); ok {
			list = append(list, safetensors.New(norm+".num_batches_tracked", nil, []int64{int64(batches)}))
		}
	}
	return list
}
