package simulate

// operators is how a machine computes each of graph.Ops.
var operators = map[string]func(*Machine, *Call) *Tensor{
	"analysis":  (*Machine).analysis,
	"synthesis": (*Machine).synthesis,
	"filter":    (*Machine).filter,
	"linear":    (*Machine).linear,
	"linear_dx": (*Machine).linearDX,
	"linear_dw": (*Machine).linearDW,
	"linear_db": (*Machine).linearDB,

	"add":         (*Machine).add,
	"scale":       (*Machine).scale,
	"axpy":        (*Machine).axpy,
	"extrapolate": (*Machine).extrapolate,
	"prox":        (*Machine).prox,
	"prox_grad":   (*Machine).proxGrad,
	"bias":        (*Machine).bias,
	"relu":        (*Machine).relu,
	"relu_grad":   (*Machine).reluGrad,
	"gelu":        (*Machine).gelu,
	"gelu_grad":   (*Machine).geluGrad,

	"sum_squares": (*Machine).sumSquares,
	"distance":    (*Machine).distance,
	"unit":        (*Machine).unit,
	"unit_atoms":  (*Machine).unitAtoms,
	"step":        (*Machine).step,
	"rounds":      (*Machine).rounds,

	"channel_mean":     (*Machine).channelMean,
	"channel_variance": (*Machine).channelVariance,
	"running":          (*Machine).running,
	"batchnorm":        (*Machine).batchNorm,
	"batchnorm_dgamma": (*Machine).batchNormDGamma,
	"batchnorm_dbeta":  (*Machine).batchNormDBeta,
	"batchnorm_dx":     (*Machine).batchNormDX,

	"max_pool":          (*Machine).maxPool,
	"max_pool_grad":     (*Machine).maxPoolGrad,
	"average_pool":      (*Machine).averagePool,
	"average_pool_grad": (*Machine).averagePoolGrad,

	"cross_entropy":      (*Machine).crossEntropy,
	"cross_entropy_grad": (*Machine).crossEntropyGrad,
	"velocity":           (*Machine).velocity,
	"nesterov":           (*Machine).nesterov,

	"mul":      (*Machine).mul,
	"sum":      (*Machine).sum,
	"sum_grad": (*Machine).sumGrad,
	"exp":      (*Machine).exponential,
	"log":      (*Machine).logarithm,
	"log_grad": (*Machine).logGrad,
	"one":      (*Machine).one,
}
