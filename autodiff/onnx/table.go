package onnx

import (
	"maps"
	"slices"

	"sdref/autodiff"
)

// row is what an operator is in ONNX.
type row struct {
	// say appends helping values and returns the last call, which gives the node's value.
	say func(s *speaker, n *autodiff.Node, in []string) call
	why string // instead of say: why ONNX cannot say it
	// batch tells that the value's first size is that of the first input, and that nothing else depends on
	// it.
	batch bool
	// labels is the number of the input that holds class labels, whole numbers; 0 if there is none.
	labels int
}

// table has a row for every operator of package autodiff and of csc's implicit gradient.
var table = map[string]row{
	"analysis":  {say: analysis, batch: true},
	"synthesis": {say: synthesis, batch: true},
	"filter":    {say: filter},
	"linear":    {say: linear, batch: true},
	"linear_dx": {say: linearDX, batch: true},
	"linear_dw": {say: linearDW},
	"linear_db": {say: linearDB},
	"bias":      {say: bias, batch: true},

	"add":         {say: add, batch: true},
	"scale":       {say: scale, batch: true},
	"axpy":        {say: axpy, batch: true},
	"dot":         {say: dot},
	"extrapolate": {say: extrapolate, batch: true},

	"prox":         {say: prox, batch: true},
	"prox_grad":    {say: proxGrad, batch: true},
	"prox_dt":      {say: proxDStep},
	"prox_dlambda": {say: proxDLambda},
	"relu":         {say: relu, batch: true},
	"relu_grad":    {say: reluGrad, batch: true},
	"gelu":         {say: gelu, batch: true},
	"gelu_grad":    {say: geluGrad, batch: true},

	"sum_squares": {say: sumSquares},
	"distance":    {say: distance},
	"unit":        {say: unit},
	"unit_atoms":  {say: unitAtoms},
	"step":        {say: stepSize},
	"rounds":      {say: rounds},

	"channel_mean":     {say: channelMean},
	"channel_variance": {say: channelVariance},
	"running":          {say: running},
	"batchnorm":        {say: batchNorm, batch: true},
	"batchnorm_dgamma": {say: batchNormDGamma},
	"batchnorm_dbeta":  {say: batchNormDBeta},
	"batchnorm_dx":     {say: batchNormDX},

	"max_pool":          {say: maxPool, batch: true},
	"max_pool_grad":     {say: maxPoolGrad, batch: true},
	"average_pool":      {say: averagePool, batch: true},
	"average_pool_grad": {say: averagePoolGrad, batch: true},

	"cross_entropy":      {say: crossEntropy, labels: 1},
	"cross_entropy_grad": {say: crossEntropyGrad, labels: 1},
	"velocity":           {say: velocity},
	"nesterov":           {say: nesterov},

	"mul":      {say: mul, batch: true},
	"sum":      {say: sumAll},
	"sum_grad": {say: sumGrad},
	"exp":      {say: exp, batch: true},
	"log":      {say: log, batch: true},
	"log_grad": {say: logGrad, batch: true},
	"one":      {say: one},

	"solution":         {say: identity, batch: true},
	"solution_dlambda": {say: solutionDLambda},
	"solution_system":  {why: "it solves a linear system by as many rounds as each image needs; ONNX has no operator for that"},
}

// Operators lists the names of the table's rows, sorted.
func Operators() []string { return slices.Sorted(maps.Keys(table)) }
