"""`kt.applications`: Keras Tuner's own models of images."""

from keras_tuner.applications import HyperEfficientNet as HyperEfficientNet
from keras_tuner.applications import HyperImageAugment as HyperImageAugment
from keras_tuner.applications import HyperResNet as HyperResNet
from keras_tuner.applications import HyperXception as HyperXception
