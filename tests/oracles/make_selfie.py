"""What LiteRT's selfie segmentation says of a photograph: for every pixel, how surely it belongs to a person."""

import io

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image
from tools import in_package, store

MODEL = "mediapipe/modules/selfie_segmentation/selfie_segmentation.tflite"
SIZE = 256

if __name__ == "__main__":
    file = io.BytesIO(in_package("scikit-image==0.26.0", "skimage/data/astronaut.png"))
    picture = np.asarray(Image.open(file).convert("RGB").resize((SIZE, SIZE), Image.Resampling.BILINEAR))
    net = Interpreter(model_content=in_package("mediapipe==0.10.14", MODEL))
    net.allocate_tensors()
    net.set_tensor(net.get_input_details()[0]["index"], picture[None] / np.float32(255))
    net.invoke()
    mask = net.get_tensor(net.get_output_details()[0]["index"])[0, ..., 0]
    store("selfie", ["ai-edge-litert"], picture=picture, person=np.round(mask * 65535).astype(np.uint16))
