# Makes the files of this folder: python3 make.py, with NumPy 1.24.2.
import io
import zipfile
import numpy as np

x = np.array([[1.5, -2, 3], [0.25, 100, -7]])
CODES = ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "|i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8"]
CODES += ["|u1", "<u2", ">u2", "<u4", ">u4", "<u8", ">u8", "|b1"]


def save(array, version=None):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version)
    return file.getvalue()


files = {}
for code in CODES:
    files[f"{code[1:]}{'_big' if code[0] == '>' else ''}.npy"] = save((np.abs(x) if code[1] == "u" else x).astype(code))
files["fortran.npy"] = save(np.asfortranarray(np.arange(24, dtype="<f4").reshape(2, 3, 4)))
files["fortran_big.npy"] = save(np.asfortranarray(np.arange(24, dtype=">i2").reshape(2, 3, 4)))
files["scalar.npy"] = save(np.array(2.5, "<f8"))
files["empty.npy"] = save(np.zeros((0, 3), "<f4"))
files["version2.npy"] = save(x.astype("<f4"), (2, 0))
files["version3.npy"] = save(x.astype("<f4"), (3, 0))
files["complex.npy"] = save(x.astype("<c8"))
files["objects.npy"] = save(np.array([None, {}], dtype=object))
files["text.npy"] = save(np.array(["a", "bc"]))
files["records.npy"] = save(np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))
with zipfile.ZipFile("arrays.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    for name, data in files.items():
        archive.writestr(name, data)

gamma, beta = np.linspace(0.5, 2, 8, dtype="<f4"), np.linspace(-1, 1, 8, dtype="<f4")
np.savez("plain.npz", gamma=gamma, beta=beta)
np.savez_compressed("compressed.npz", gamma=gamma, beta=beta, **{"zeros": np.zeros(5000, "<f4")})
