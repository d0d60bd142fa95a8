//go:build !purego

package kernel

// The names of the assembly's functions end with the instruction set and the element type.

// The functions below serve both rows of the table.
var (
	interleaveF32 = []nativeInterleave[float32]{{8, 4, interleave8AVX2F32}, {4, 4, interleave4AVX2F32}}
	interleaveF64 = []nativeInterleave[float64]{{4, 2, interleave4AVX2F64}}

	gatherAlternateF32 = [2]gatherFunc[float32]{gatherAlternate32AVX2F32, gatherAlternate16AVX2F32}
	gatherAlternateF64 = [2]gatherFunc[float64]{gatherAlternate32AVX2F64, gatherAlternate16AVX2F64}

	insertZerosF32 = [2]rowsFunc[float32]{insertZeros32AVX2F32, insertZeros16AVX2F32}
	insertZerosF64 = [2]rowsFunc[float64]{insertZeros32AVX2F64, insertZeros16AVX2F64}

	maxPoolF32 = []nativeMaxPool[float32]{
		{8, maxPool32AVX2F32, maxPoolGrad32AVX2F32}, {4, maxPool16AVX2F32, maxPoolGrad16AVX2F32},
		{2, maxPool8AVX2F32, maxPoolGrad8AVX2F32},
	}
	maxPoolF64 = []nativeMaxPool[float64]{
		{4, maxPool32AVX2F64, maxPoolGrad32AVX2F64}, {2, maxPool16AVX2F64, maxPoolGrad16AVX2F64},
	}
)

var avx2F32 = native[float32]{
	name:  "avx2",
	lanes: 8,
	tiles: []nativeTile[float32]{
		{2, 3, []tileFunc[float32]{tile2x3x1AVX2F32, tile2x3x2AVX2F32}},
		{1, 4, []tileFunc[float32]{tile1x4x1AVX2F32, tile1x4x2AVX2F32}},
		{1, 3, []tileFunc[float32]{tile1x3x1AVX2F32, tile1x3x2AVX2F32, tile1x3x3AVX2F32}},
		{1, 2, []tileFunc[float32]{tile1x2x1AVX2F32, tile1x2x2AVX2F32}},
		{1, 1, []tileFunc[float32]{tile1x1x1AVX2F32, tile1x1x2AVX2F32}},
	},
	narrow:     nativeTile[float32]{2, 6, []tileFunc[float32]{tile2x6x1AVX2F32}},
	byRows:     []denseFunc[float32]{denseRows6x1AVX2F32, denseRows6x2AVX2F32},
	byColumns:  []denseFunc[float32]{denseColumns6x1AVX2F32, denseColumns6x2AVX2F32},
	peak:       peakAVX2F32,
	gather:     gatherAVX2F32,
	regular:    regularAVX2F32,
	alternate:  gatherAlternateF32,
	weave:      weaveAVX2F32,
	zeros:      insertZerosF32,
	interleave: interleaveF32,
	pools:      maxPoolF32,
	nativeElementwise: nativeElementwise[float32]{
		addScaled:         addScaledAVX2F32,
		scale:             scaleAVX2F32,
		relu:              reluAVX2F32,
		reluGrad:          reluGradAVX2F32,
		gelu:              geluAVX2F32,
		geluGrad:          geluGradAVX2F32,
		shrink:            shrinkAVX2F32,
		shrinkNonnegative: shrinkNonnegativeAVX2F32,
		shrinkGrad:        shrinkGradAVX2F32,
		normalize:         normalizeAVX2F32,
		normalizeGrad:     normalizeGradAVX2F32,
		momentum:          momentumAVX2F32,
		sum:               sumAVX2F32,
		sumSquares:        sumSquaresAVX2F32,
		dot:               dotAVX2F32,
	},
	nativeWinograd: nativeWinograd[float32]{
		signal:         winogradSignalAVX2F32,
		kernel:         winogradKernelAVX2F32,
		kernelReversed: winogradKernelReversedAVX2F32,
		code:           winogradCodeAVX2F32,
		output:         winogradOutputAVX2F32,
		gradient:       winogradGradientAVX2F32,
	},
}

var avx2F64 = native[float64]{
	name:  "avx2",
	lanes: 4,
	tiles: []nativeTile[float64]{
		{2, 3, []tileFunc[float64]{tile2x3x1AVX2F64, tile2x3x2AVX2F64}},
		{1, 4, []tileFunc[float64]{tile1x4x1AVX2F64, tile1x4x2AVX2F64}},
		{1, 3, []tileFunc[float64]{tile1x3x1AVX2F64, tile1x3x2AVX2F64, tile1x3x3AVX2F64}},
		{1, 2, []tileFunc[float64]{tile1x2x1AVX2F64, tile1x2x2AVX2F64}},
		{1, 1, []tileFunc[float64]{tile1x1x1AVX2F64, tile1x1x2AVX2F64}},
	},
	narrow:     nativeTile[float64]{2, 6, []tileFunc[float64]{tile2x6x1AVX2F64}},
	byRows:     []denseFunc[float64]{denseRows6x1AVX2F64, denseRows6x2AVX2F64},
	byColumns:  []denseFunc[float64]{denseColumns6x1AVX2F64, denseColumns6x2AVX2F64},
	peak:       peakAVX2F64,
	gather:     gatherAVX2F64,
	regular:    regularAVX2F64,
	alternate:  gatherAlternateF64,
	weave:      weaveAVX2F64,
	zeros:      insertZerosF64,
	interleave: interleaveF64,
	pools:      maxPoolF64,
	nativeElementwise: nativeElementwise[float64]{
		addScaled:         addScaledAVX2F64,
		scale:             scaleAVX2F64,
		relu:              reluAVX2F64,
		reluGrad:          reluGradAVX2F64,
		gelu:              geluAVX2F64,
		geluGrad:          geluGradAVX2F64,
		shrink:            shrinkAVX2F64,
		shrinkNonnegative: shrinkNonnegativeAVX2F64,
		shrinkGrad:        shrinkGradAVX2F64,
		normalize:         normalizeAVX2F64,
		normalizeGrad:     normalizeGradAVX2F64,
		momentum:          momentumAVX2F64,
		sum:               sumAVX2F64,
		sumSquares:        sumSquaresAVX2F64,
		dot:               dotAVX2F64,
	},
	nativeWinograd: nativeWinograd[float64]{
		signal:         winogradSignalAVX2F64,
		kernel:         winogradKernelAVX2F64,
		kernelReversed: winogradKernelReversedAVX2F64,
		code:           winogradCodeAVX2F64,
		output:         winogradOutputAVX2F64,
		gradient:       winogradGradientAVX2F64,
	},
}

var avx512F32 = native[float32]{
	name:  "avx512",
	lanes: 16,
	tiles: []nativeTile[float32]{
		{4, 3, []tileFunc[float32]{tile4x3x1AVX512F32, tile4x3x2AVX512F32}},
		{2, 4, []tileFunc[float32]{tile2x4x1AVX512F32, tile2x4x2AVX512F32}},
		{1, 4, []tileFunc[float32]{tile1x4x1AVX512F32, tile1x4x2AVX512F32}},
		{1, 3, []tileFunc[float32]{tile1x3x1AVX512F32, tile1x3x2AVX512F32, nil, nil, nil,
			tile1x3x6AVX512F32}},
		{1, 2, []tileFunc[float32]{tile1x2x1AVX512F32, tile1x2x2AVX512F32}},
		{1, 1, []tileFunc[float32]{tile1x1x1AVX512F32, tile1x1x2AVX512F32}},
	},
	narrow:     nativeTile[float32]{4, 6, []tileFunc[float32]{tile4x6x1AVX512F32}},
	peak:       peakAVX512F32,
	gather:     gatherAVX512F32,
	regular:    regularAVX512F32,
	alternate:  gatherAlternateF32,
	weave:      weaveAVX2F32,
	zeros:      insertZerosF32,
	interleave: interleaveF32,
	pools:      maxPoolF32,
	nativeElementwise: nativeElementwise[float32]{
		addScaled:         addScaledAVX512F32,
		scale:             scaleAVX512F32,
		relu:              reluAVX512F32,
		reluGrad:          reluGradAVX512F32,
		gelu:              geluAVX512F32,
		geluGrad:          geluGradAVX512F32,
		shrink:            shrinkAVX512F32,
		shrinkNonnegative: shrinkNonnegativeAVX512F32,
		shrinkGrad:        shrinkGradAVX512F32,
		normalize:         normalizeAVX512F32,
		normalizeGrad:     normalizeGradAVX512F32,
		momentum:          momentumAVX512F32,
		sum:               sumAVX512F32,
		sumSquares:        sumSquaresAVX512F32,
		dot:               dotAVX512F32,
	},
	nativeWinograd: nativeWinograd[float32]{
		signal:         winogradSignalAVX512F32,
		kernel:         winogradKernelAVX512F32,
		kernelReversed: winogradKernelReversedAVX512F32,
		code:           winogradCodeAVX512F32,
		output:         winogradOutputAVX512F32,
		gradient:       winogradGradientAVX512F32,
	},
}

var avx512F64 = native[float64]{
	name:  "avx512",
	lanes: 8,
	tiles: []nativeTile[float64]{
		{4, 3, []tileFunc[float64]{tile4x3x1AVX512F64, tile4x3x2AVX512F64}},
		{2, 4, []tileFunc[float64]{tile2x4x1AVX512F64, tile2x4x2AVX512F64}},
		{1, 4, []tileFunc[float64]{tile1x4x1AVX512F64, tile1x4x2AVX512F64}},
		{1, 3, []tileFunc[float64]{tile1x3x1AVX512F64, tile1x3x2AVX512F64, nil, nil, nil,
			tile1x3x6AVX512F64}},
		{1, 2, []tileFunc[float64]{tile1x2x1AVX512F64, tile1x2x2AVX512F64}},
		{1, 1, []tileFunc[float64]{tile1x1x1AVX512F64, tile1x1x2AVX512F64}},
	},
	narrow:     nativeTile[float64]{4, 6, []tileFunc[float64]{tile4x6x1AVX512F64}},
	peak:       peakAVX512F64,
	gather:     gatherAVX512F64,
	regular:    regularAVX512F64,
	alternate:  gatherAlternateF64,
	weave:      weaveAVX2F64,
	zeros:      insertZerosF64,
	interleave: interleaveF64,
	pools:      maxPoolF64,
	nativeElementwise: nativeElementwise[float64]{
		addScaled:         addScaledAVX512F64,
		scale:             scaleAVX512F64,
		relu:              reluAVX512F64,
		reluGrad:          reluGradAVX512F64,
		gelu:              geluAVX512F64,
		geluGrad:          geluGradAVX512F64,
		shrink:            shrinkAVX512F64,
		shrinkNonnegative: shrinkNonnegativeAVX512F64,
		shrinkGrad:        shrinkGradAVX512F64,
		normalize:         normalizeAVX512F64,
		normalizeGrad:     normalizeGradAVX512F64,
		momentum:          momentumAVX512F64,
		sum:               sumAVX512F64,
		sumSquares:        sumSquaresAVX512F64,
		dot:               dotAVX512F64,
	},
	nativeWinograd: nativeWinograd[float64]{
		signal:         winogradSignalAVX512F64,
		kernel:         winogradKernelAVX512F64,
		kernelReversed: winogradKernelReversedAVX512F64,
		code:           winogradCodeAVX512F64,
		output:         winogradOutputAVX512F64,
		gradient:       winogradGradientAVX512F64,
	},
}
