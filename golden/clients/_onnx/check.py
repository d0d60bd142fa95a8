"""Checks ONNX models that this program wrote, with Debian's python3-onnx: python3 check.py FOLDER...

Each folder is walked for files that end in .onnx: onnx.checker with shape inference must accept each. Where
the folder test_data_set_0 of ONNX's own tests lies beside one, its files must be the tensors that the model's
inputs and outputs promise. Prints the number of models and of tensors.
"""
import pathlib
import sys

import onnx
import onnx.checker
import onnx.numpy_helper
import onnx.shape_inference


def promised(value):
    kind = value.type.tensor_type
    sizes = [d.dim_param or d.dim_value for d in kind.shape.dim]
    return kind.elem_type, sizes


def main(folders):
    models = arrays = 0
    for folder in folders:
        for file in sorted(pathlib.Path(folder).rglob('*.onnx')):
            model = onnx.load(str(file))
            onnx.checker.check_model(model, full_check=True)
            inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
            for want, got in zip(model.graph.output, inferred.graph.output):
                assert promised(want) == promised(got), (file, want, got)
            models += 1
            for what, values in ('input', model.graph.input), ('output', model.graph.output):
                for i, value in enumerate(values):
                    data = file.parent / 'test_data_set_0' / f'{what}_{i}.pb'
                    if not data.parent.exists():
                        continue
                    tensor = onnx.TensorProto()
                    tensor.ParseFromString(data.read_bytes())
                    array = onnx.numpy_helper.to_array(tensor)
                    assert tensor.name == value.name, (data, tensor.name)
                    assert promised(value) == (tensor.data_type, list(array.shape)), (data, array.shape)
                    arrays += 1
    print(models, 'models,', arrays, 'tensors')


main(sys.argv[1:])
