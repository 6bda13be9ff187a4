"""What the codecs of pictures, masks and boxes share: files of pictures, and where a picture lies in an encoded one."""
