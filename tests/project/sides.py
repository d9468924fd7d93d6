"""A second device for machines without one: tensors that compute on the CPU and count as being on "cuda" or "mps".

Within Sides, what is sent to the far side stays there, with all that comes of it, until it is sent back. It raises
where PyTorch would: where the two sides meet, where NumPy or matplotlib wants what lies far, and, on MPS, for float64.
Only the calls that Python makes are seen, not those that PyTorch makes inside one of them.
"""

import torch
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._pytree import tree_leaves, tree_map_only

SENDING = {"to", "cpu", "cuda"}
MEETING = {"copy_", "grad.__set__", "_has_compatible_shallow_copy_type", "type_as", "backward"}
STRICT = {"cat", "stack", "concat", "hstack", "vstack"}  # elsewhere a single number on the CPU may join


def is_far(tensor):
    return getattr(tensor, "_far", False)


class Sides(TorchFunctionMode):
    def __init__(self, kind="cuda"):
        super().__init__()
        self.kind = kind

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        name = (resolve_name(function) or getattr(function, "__name__", "")).removeprefix("torch.Tensor.")
        short = name.removeprefix("torch.").rpartition("functional.")[2]
        if name == "_parse_to":
            return function(*args, **kwargs)
        if name == "device.__get__":
            return torch.device(self.kind) if is_far(args[0]) else function(*args)
        if name in ("is_cuda.__get__", "is_mps.__get__"):
            return is_far(args[0]) and name.startswith(f"is_{self.kind}")
        if name == "data.__set__":  # as Module.to moves a parameter
            function(*args)
            args[0]._far = is_far(args[1])
            return None
        if name in ("numpy", "__array__") and is_far(args[0]):
            raise TypeError(f"can't convert {self.kind} tensor to numpy. Use Tensor.cpu() first")
        if name in SENDING:
            return self._send(name, args, kwargs)
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        device = kwargs.get("device")
        if device is not None:
            kwargs["device"] = "cpu"
            far = self._names_far(device)
        elif short in ("tensor", "as_tensor"):
            far = is_far(args[0])  # numbers of a list come to the CPU
        elif short in MEETING:
            far = is_far(args[0])
        else:
            far = any(map(is_far, tensors))
            self._meet(short, far, tensors, args)
        return self._placed(function(*args, **kwargs), far, args)

    def _meet(self, name, far, tensors, args):
        """Raise if tensors of both sides come together."""
        near = [tensor for tensor in tensors if not is_far(tensor) and (tensor.ndim or name in STRICT)]
        if name in ("__getitem__", "__setitem__") and is_far(args[0]):
            indices = tree_leaves(args[1])
            near = [tensor for tensor in near if not any(tensor is index for index in indices)]  # it may be on the CPU
        if far and near:
            raise RuntimeError(
                f"Expected all tensors to be on the same device: {name} got {self.kind} and a cpu tensor of shape "
                f"{tuple(near[0].shape)}"
            )

    def _send(self, name, args, kwargs):
        """`to`, `cpu` and `cuda`: the tensor where it shall be, another one if it was not there."""
        tensor, rest, target = args[0], [], {"cpu": "cpu", "cuda": "cuda"}.get(name)
        for value in [*args[1:], kwargs.pop("device", None)]:
            if isinstance(value, torch.Tensor):
                target, value = ("cpu", self.kind)[is_far(value)], value.dtype
            elif isinstance(value, str | torch.device):
                target, value = value, None
            if value is not None and not isinstance(value, bool):
                rest.append(value)
        far = is_far(tensor) if target is None else self._names_far(target)
        result = tensor.to(*rest, **kwargs) if rest or kwargs else tensor
        if far != is_far(tensor) and result is tensor:
            result = tensor.clone()
        return result if result is tensor else self._placed(result, far, ())

    def _names_far(self, device):
        kind = torch.device(device).type
        if kind not in ("cpu", self.kind):
            raise RuntimeError(f"got device {device}, expected cpu or {self.kind}")
        return kind == self.kind

    def _placed(self, result, far, args):
        def place(tensor):
            if far and self.kind == "mps" and tensor.dtype == torch.float64:
                raise TypeError("Cannot convert a MPS Tensor to float64 dtype as the MPS framework has none")
            if not any(tensor is one for one in args):
                tensor._far = far
            return tensor

        if isinstance(result, torch.Tensor):
            return place(result)
        several = isinstance(result, tuple | list) and not isinstance(result, torch.Size)
        return tree_map_only(torch.Tensor, place, result) if several else result
