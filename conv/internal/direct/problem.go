// Package direct computes the three functions of conv's trilinear form as their definitions stand, with the same bits: matrix
// products of packed panels whose columns are read from staged images.
//
//	plan      (plan.go, forward.go, transpose.go)   where the elements of each product lie, made once for a geometry
//	stage     (stage.go)                            images copied with their border of zeros, phases of the stride apart
//	axis      (border.go)                           which links with the border's zeros are left out
//	run       (contraction.go)                      Forward and Transpose by plan
//	filter    (filter.go, filter_share.go)          the gradient of the weights
//
// It is for package conv, which checks the sizes and chooses the algorithm. It does not know tensors, and not what the results are for.
package direct

import "sdref/conv/internal/form"

// problem is the sizes of a call.
type problem struct{ form.Form }
