"""Recordings of people for the page about sound: words, letters and sentences, each with its text.

The words and letters at 8,000 Hz are telephone prompts, read by Allison Smith, whose file names say what they say. Two
more speakers say the letters in a game for children. The sentences are of a reading of *Sense and Sensibility*.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import netwright as nw
from netwright.fetch import Package, fetch

RATE = 8_000  # samples per second, as the prompts have it
TAIL = 40  # decibels below the loudest: what is quieter at both ends is silence
PROMPTS = Package("apt", "asterisk-core-sounds-en-wav", "", "usr/share/asterisk/sounds/en_US_f_Allison/")
GAME = Package("apt", "klettres-data", "", "usr/share/klettres/")
READING = Package("apt", "pocketsphinx-testdata", "", "usr/share/pocketsphinx/test/data/librivox/")
CHAPTER = "sense_and_sensibility_01_austen_64kb"
SENTENCES = {
    "0870": (
        "and mister john dashwood had then leisure to consider how much there might be prudently in his "
        "power to do for them",
        "b0557cf95c974d930577e58e46b7f068c432a6e3afcc286563d88922b2a5315c",
    ),
    "0880": (
        "he was not an ill disposed young man",
        "fbec491ef00ee734a67f0ee318e98c51c157b479e1629ff4f4426861ecac0414",
    ),
    "0890": (
        "unless to be rather cold hearted and rather selfish is to be ill disposed",
        "5793ffbdee55fb8bfd284943a6866864c832d9d4accf2661cabd39915c84ee10",
    ),
    "0920": (
        "had he married a more a amiable woman he might have been made still more respectable than he was",
        "40882414ef4cc51f3ff7a63bad0c8c87e7f595ffeb8209fbf756c8ebc5c28a59",
    ),
    "0930": (
        "he might even have been made amiable himself",
        "954adbf0b56ac8a148cbe77b39ca18d76b5f2a1e1f405565bd786ce3e68a68b7",
    ),
}

WORDS = """
digits/0.wav zero 62debe1daf11756460c0de78d0e1ac7fe28b12fb51a30df3364ce74b90f05d31
digits/1.wav one fb38aca5558d50f7bd4d7986adeea19b97eba894c574fc92acc3b33b480eb701
digits/2.wav two 6ef0a6b67a1741e950c491ef664bbfb424b63fab314d616d6f0e467cc0838dee
digits/3.wav three 4ec0371d15f721c61be36fe6ca54d0de29d9b9a48062634969556c50ff81faed
digits/4.wav four f1c007fbd2eefa235ea10260b79527b89b88f6d2182008e86221572ad92f204f
digits/5.wav five 412b4b7729a8bae7b2b13ad8af9f6989abba8a4b9d5fc1c499b13a3b986653a5
digits/6.wav six 89c80e3c120f90112159d911568d2ca4a13f369a864ee26e882802385fab2474
digits/7.wav seven 125c9acb8b5b6549079233c922782bfdf585d8c438906467921329669c6939fe
digits/8.wav eight 854114f9f3bb94d36490b2951957a662e75212648a5e2330f1f3c56184d30488
digits/9.wav nine 535d4117923ad8bac20185eb0746b421479ddec4f4acd2329285096a573d6e34
digits/10.wav ten f751f3503f50a2bb7aa1fa5a789a2dfd83573f55be0df8661be4c95d85a402cf
digits/11.wav eleven a56fe72585b6a29dece883f42faaf7dd2e6b73b5c6dd83a3be0c2cfd30408a4d
digits/12.wav twelve 24570b35fe1aea7e3ebdbd2efe43c54ee4c78c7b4481bd8e1a0597d43f0772a2
digits/13.wav thirteen 9d2b26b5cc7ef3cd76d503416fcc36c9a2d31fcc0bba43a01578f6c4c4890489
digits/14.wav fourteen 03c68c815a38e50c0ab6c14bb3313ef1efaeea85d1bc2497974451500c7f4ecc
digits/15.wav fifteen f1ccd769f7ead8eb104c62728f2fbff2a0f2dd40e697eade24ff9a64ccd0af10
digits/16.wav sixteen 14095c5761f7e616e5c196014e7101f7c5e19c530aee0ffcbbc28d57b68896a4
digits/17.wav seventeen 9ebbb9daec6567b58d314e8c2ef2d195cb4773961dce3f026981ebb3a3813dc8
digits/18.wav eighteen fc450fbc48b4c70a7a3342c04914acb2e5c0d34c905925adff4580cfffd3f478
digits/19.wav nineteen dfe4ec7d1cf484fa947c79eae2e2f895e11907fb4dd4b5e2c629b417b927239c
digits/20.wav twenty 5c4550eb8b11d4b7a4cf5a5132e8f48624e78c9302e22011f36e98cc1acd723a
digits/30.wav thirty cfcf2b534791c6a8ff393af6195353ec2ffeea8939633bffc3819069eb63281e
digits/40.wav forty 80337ee92ddf5b0338bcacd1b9c1d27f29cb982950a5d2f59f2675c9351894ff
digits/50.wav fifty ffe94b7b90a2fdc1757b83ab356936d72cd968ae6aaef9c50d437ac3496cac92
digits/60.wav sixty 47bcf9423f9577a2c4772cc92c4bfa15a39080f2fb9b1c792535f7fba626d7f2
digits/70.wav seventy a6df863fc5cd38ae962f4426a04f6e33e6c6efc2f45b087815ed489ef8a2f630
digits/80.wav eighty f399f5b9eea983ad86b6814d857e66e505366a672dc627749af9de8aea627c97
digits/90.wav ninety 61ed207a3bc43351134a73c4d37b10253e9c71201fc1332d09ea0b52bf80bbf8
digits/hundred.wav hundred 1fd558dc2f2df61b271e940290bfdbebefa0c1edcec427e077ab69212960f58b
digits/thousand.wav thousand 4c9150b9cdba6bb37f16919003a6c402a6ccd8b67a8205bce1eb3c5e225f9871
digits/million.wav million d89075213bf6473507415176968aa32cd0f95d7a875e2d1a2684919e469fab67
digits/billion.wav billion 3b6ab2be0b5a651e58325c3f80e7e4cbe39171e508aef6f1dce5a9850f333ce4
digits/h-1.wav first 1954ec27d07afaabc4f229dfdb174d3c156a1526a68744f1346e5ba286df079e
digits/h-2.wav second fe92ee4c0a47070f06850dc63e2a00ad2bf24a585703ba006d761520a860c7fa
digits/h-3.wav third 58592f549956791a4df206f8c16b648398d5f55ae5336458101cb21af219c5a7
digits/h-4.wav fourth 37e007158ee0d11893ee6bc88870959a233e4903a343c31ad44aaf806d54d0ec
digits/h-5.wav fifth d77da9c91e10e5d02119b12a14ce18fe49f1b3168c021a4a9a3ffee99e15307f
digits/h-6.wav sixth b23b237092a3b6617f953affaba42db3044ac86203df5bcae5886b8460988873
digits/h-7.wav seventh b9f7f7027e11d26d0b40cca0ee7af38719eedefb474bbdd61c2351529d4aa7ae
digits/h-8.wav eighth 8b5e9175c63735fcc32bd8ec144944fc38e0343a150e435dc3a97b405c2978f4
digits/h-9.wav ninth b03383ae0dd252c02ab6d538284cf96bb5f9d07d31014c34fabeb95487246046
digits/h-10.wav tenth ceffdfa813b3112a3a63503597e7cc75f8c8fdeb0c1d4f095ec6c6a9dfe58045
digits/h-11.wav eleventh aa879914110e006bce035428960bc0293cc045bfada129df60330349cde2aa27
digits/h-12.wav twelfth 6014f131008e07c8e6bbbcd069b68ef5ef136fc80e74c3769ffa5dcffeee306c
digits/h-13.wav thirteenth 1583d6295317a79557045cac82c9df9868205152bc95a6487fc7efb29261b836
digits/h-14.wav fourteenth d5fa8c4e7d2a12a814768f62363b1e6a401a4b0952118d0365fb77ab1eef565f
digits/h-15.wav fifteenth c377da91557ab2e4773818bb3895c95fd417e9baef2b93f11294498337043326
digits/h-16.wav sixteenth a6fcc18ec0e91be74689a6603602a8c7a2d9c425daf2f482ef3ea11101a50d75
digits/h-17.wav seventeenth b10702367d129cce921048a6b91487b8f192912c5510e0de01f6f843902e841e
digits/h-18.wav eighteenth bc9f0e20241a7b74700ed080192d12fcbd836449af326ebcfb276c400ea0b473
digits/h-19.wav nineteenth d602af08b5e7f2aa0cd19b51428c6ee93b00a77b8fc7e752e86fa66a513336e0
digits/h-20.wav twentieth cb6afa17476eedfdbadf6da578e593d7992e0fcfa60aed57351d2f0b3b96d9da
digits/h-30.wav thirtieth 5f438b682df26b10f4ad8c54ec13a8a1b7ae1e6e780fff83d273ab22782e6eb0
digits/h-40.wav fortieth ce45fcabc7531e5b822f2c58f6abedead1b37059c38d6a3a9fe71e330e802d2e
digits/h-50.wav fiftieth 563fccd9810a7a5a1f9e02c1bb965b12d284197e316f5622064db1a35faa8a95
digits/h-60.wav sixtieth b0e112c6785ddcd51eab8920738838ef5f3bd7c55f61617cd89ef25e730e7ef4
digits/h-70.wav seventieth 0a9e47a9241b6af173aa7c2c2ee3da79fd190a5a949ce86a6f266a6132bf3d57
digits/h-80.wav eightieth b329daee3da1095773fed75389b219b6f25beba3588a864726db05d0551f4439
digits/h-90.wav ninetieth 0fa827320d14935bee7787f9ad84677fc64887df3af9cc8e205a5cff033b3b65
digits/h-hundred.wav hundredth 35f55a6830ba74dc409240a3110577a9e22d56210e17d2f2efbc07ab385a4d34
digits/h-thousand.wav thousandth be4dd569c3ef28b038fc3a61e2085ee32adf2737db2e482ca78c2c379afbd18a
digits/h-million.wav millionth b4706d57d8c06abcb438f7baef62896e44bc456d5503c96b4449a98cf653447c
digits/h-billion.wav billionth 545081537822aecb47535561ba94981a50f081d2313d3187f801f725e92ea685
digits/day-0.wav sunday f5656eddadd8d6967437d7f1a4131a510dc83aeb31125f893420c283276568c1
digits/day-1.wav monday 44726ffe404076d680d715f7454123f09cc6ea199628f2fc5790a0cbd9529216
digits/day-2.wav tuesday e7c1314f225620fc7f0c290b4583c811b395d635a3f4c2225914bd78ae4b27c6
digits/day-3.wav wednesday 8a9011691cad0af2a3a0ffe499b3a9a658b24f5312e0ca2ed077dd0becf83fab
digits/day-4.wav thursday 15d918c8b9e9a337b4522e4d46415a25b615385eb3d03882cc5a7aff21e54b95
digits/day-5.wav friday a9e6b505b9c9fb3e27063ea463ef4d3537621dcc960d878176324e790fab1cef
digits/day-6.wav saturday c5a3993391a11088bd23102bc9ea9f29c8d7a823e1383a46a3d0ff2fc23e98f7
digits/mon-0.wav january 9491deb12de3d02bfe88f65628db2d20cc8a236235b380fd25919c1743803367
digits/mon-1.wav february 70ef6b7dfce07cecb16d0286664cda1a83a0177b1f5de5fe58ec8b5749cddf77
digits/mon-2.wav march 44dd4cb80ef96d6347cd0211f16b4fb93dcf450720e30a554c2ec4da4a38fa90
digits/mon-3.wav april d80a458700f194fd938b5a8a0dc94a2aca083be35efd041f39d6bdc3a347bb36
digits/mon-4.wav may a8ab424f3939a7d36d46ae6d54a0edc7a73ac3ed362cdeff53fa8df928be407f
digits/mon-5.wav june 4adcc6872d382f529585f3b150ce3b6b05c1349fe7cb76d6d111e1f135e1e828
digits/mon-6.wav july c19ac022d94a19260af90c22e7e546c6b83da0da59e0732faa33b9031cfdea9a
digits/mon-7.wav august 40b77efe4ac37fa64c611459deea84af50a03db04ede7c811c9744fa0c5a3f7b
digits/mon-8.wav september 78a7ae2f07230bfec485167159c81b69918f25990105db6ee22c3902980ac579
digits/mon-9.wav october 79d223a21ae43878fd9ab731a3109ee4eec569e49d5ef7b02348db39da47d22a
digits/mon-10.wav november 332518806c48cb6e4fe39d69d8d31d52954d84c08233cac194d35d3ff8fc6d77
digits/mon-11.wav december c18db8f0ad129ad04765c0edcd141c80d42bbd306a79fae2f6f2fa06b1b71ce4
phonetic/a_p.wav alpha d4a5b1c094b0609fd53e0d22cb976c39d630bd35ed8e6f60d7e69b8ccab23406
phonetic/b_p.wav bravo a3efdda6fe4253be00d23020fb9d46813fb11bf0b9a4c486b6ac5fec64eb9415
phonetic/c_p.wav charlie 9bf56b2268621d53fd49fd1b422e369aa9209028107313f063e6628e4a06aa04
phonetic/d_p.wav delta b8ee6c5fd5a54baee66aebf73617ef0d67ba4223a973273e1f317070e337b960
phonetic/e_p.wav echo 9fe1a1e12b23bec40aa57a706c40d1c0ea070baf2ddc1d5a5065d4fac33224e5
phonetic/f_p.wav foxtrot fe4295636b230758de833d0b9ddfc1b0e7140ac3456ee64f8555b62d71143400
phonetic/g_p.wav golf 21275ed87ed033defa54941be1d814037bcf4501d90e412f0cd4cb5932b0ab8c
phonetic/h_p.wav hotel 5f02a5818424c151e813057867abdf82b598afad5b00785bce6a60fb28be0e06
phonetic/i_p.wav india 3dcdce481ed76a06af94f8d3a45d16a1374454f27f48cddd9fd195fafc805975
phonetic/j_p.wav juliet 5a67c580e470d5f9c2644ddafb9a950b31d4dbe4266fe5ac8734188ece5a32a6
phonetic/k_p.wav kilo 06420b6e0f24d46d1b6712046442c8dbff7ec9956972d337451e9dfbab8e7d87
phonetic/l_p.wav lima 63234a4d2d55bfbe36f4a9b638ec6cf7345e7471184bd237917bc8400f8c5f0c
phonetic/m_p.wav mike 6c9031527a84caef5a7ec2922dc62ad6838f1d9fbfd565ccbb4903bd8042c214
phonetic/n_p.wav november 0db502797bbfa9598a4e91be07aa78bccf5daa0fe9c42c574a0944c70f6acedc
phonetic/o_p.wav oscar 4b7ae147ca1822282723b3172d2fcaa1a7e52bd93f93f5c34beb9b1c4234921a
phonetic/p_p.wav papa 345f33099ce8511b094cc3fa16f927c7acc6e245905944f49d4ffc16f9f99c84
phonetic/q_p.wav quebec 69e046dd8f3b8a3a4ba21b5cef25f3552d4680aa12e3087ea2065f05f6207273
phonetic/r_p.wav romeo d2d6dbfec783cda0e2efc63aa8fd4ffa61c6d207bd020be955499a43bc0c82d6
phonetic/s_p.wav sierra 8736adf46067c3555d4ff458daa089ca20e118f23e06ed6b246fbfab97256e6b
phonetic/t_p.wav tango f9167c3cddbb3b3654b1fdfefe55903d5ca211a5bd193c471745e40480c8c175
phonetic/u_p.wav uniform d303bbea4f7ec42daacb20d742cadc4faeeb924ed824239b31db422edb8ad49c
phonetic/v_p.wav victor 2c17c288793454d1e8e1be609d34d7302ddeb2540e257a55666a4ee69377bca9
phonetic/w_p.wav whiskey 03f581c25ea6581d90e37e216cc882f9c6055697dc43c44c7c12ab11a3071d44
phonetic/x_p.wav xray d9ebedd136219e303e5c444dc0295406ebcbdd72c13b50276cdbb96000b31ec9
phonetic/y_p.wav yankee 9d03fe3985e944d845d8e5a75adcd70f0a597c2cb28de0b4c19adec8a03a7375
phonetic/z_p.wav zulu 83f5b13652ce445d87ba79458cfcad75d394ab453b27a352cbd940f18535983d
digits/today.wav today 5590939d2e33be047fa6b7780318f30578283d9b4a36f34357a7ca5b960b0229
digits/tomorrow.wav tomorrow 9ce613137a0d222cbad43ffa0bc6009b57fd6401998d49f70be22093e91b53f5
digits/yesterday.wav yesterday 0fd57f3c11cd189e1d0b8e3583fdbd12760ba23dd01fd00e89c62a85d77ad2d2
digits/minus.wav minus fd7550702e71afc54ee59905e2f76843f21b040dd3183e9565e1df43b2bb9cf9
digits/dollars.wav dollars 642cf2a6bb366ab2fc105a5572a712ab070f57863f92a991335ada18dbea4b8f
digits/pound.wav pound 091ff53c615d608ba07047cca00ab26eb52cc565a4f9067282cb962de84e66e2
digits/star.wav star 9d7df352e97d4b7eac9c2dedeb2e46c22526a657b6bc0e454a7fe686a88e1e7f
goodbye.wav goodbye ed90eef732e730c4b08a0cd2536c6f4baf8783c3e33587fe03684b11384e0053
hello.wav hello d7c8a5d45aaf667fd2e71b26b3bc6658f7c602906366199a1c79253c55fc1c91
minute.wav minute 5a9ff49be1b408475a42cc6d5e89995469370d3a086d53d5dfb16c1c1e4d5d49
minutes.wav minutes 542ee6374627a48b062c3766cdbc5bdc76ed89186e349b437349f6db99b93ee0
seconds.wav seconds 8200e07a8d7dea543b2783ccf91b0a5e9230787a82a9f42204fc742bc97cd656
time.wav time e82886afeb6f7e987d60d1be60b49bcc88670f1bbfb8af9774aca6d131414d96
"""

LETTERS = """
letters/a.wav a 8ca6ea9d0f3a12ef1f70f37392da1c45546b8c460a05aebebb69286152a511e1
letters/b.wav b 45317a160aa33e8f462e7ab16afd58d40cfbe10c3d13613eacddd39616aa4ac2
letters/c.wav c 7da1532875f90286a316b7a2cbb7686d4e3a14170d9509fa71d9ec36baeb34ba
letters/d.wav d c42ac893dfee249a22c366228a23bed90189f46047defef4fa628e63946b1c58
letters/e.wav e 3ae60cd6933f139e436095415d58d19672fa70fb75a908595b29336efcc7bf39
letters/f.wav f 3ec1c066f994b607a9e8cc88145dcdbc3a7ea214843c20aed04be05f0ba7953a
letters/g.wav g e0f3c4271a7daeb46864c18493ab18c6c5804271d6a830b65e6ec959b4ec43b1
letters/h.wav h 4da22b0c2df45478f5b975f6c6c51248fe93f64bee407aed0ba39a2f3941cff8
letters/i.wav i 537fb63df59e599dbd3d0d8c85cdb0123e3d6b040c960ecbd55487963bb67851
letters/j.wav j e486ab76ddc7ef2ce07cc5e711fb27fdf0de7a03e10f6e567e3d67352c0687af
letters/k.wav k 230bbcbe53b5a6d08710ae46244bf56a944ad9342f675d621460524cc9ddbb9b
letters/l.wav l 67060048761ca0f417d81b5aa11d44bd252d57f0bdf4a3f97ba456ae6b82c8e7
letters/m.wav m 91360e137985606cdf5ff3a0abeaa1151be9718a35665be85a4d6daae53d95aa
letters/n.wav n b10fecfb9e51aeb0e6e1bfbb5820a62f5707ffb91409490ffc96f17db803c526
letters/o.wav o 4c0123b547728343b505098dc30e03ab3e9c28300dc332f82d8033252834f39f
letters/p.wav p 4cd87ee8d88fe98fc786396e4ff2f446c39661bceb4c6058556252eba79bfa56
letters/q.wav q 31553feed8af2cf30a90221b19080b368fda904c02704f28c0c617736f30931c
letters/r.wav r eb059234a5f34b6d3527124850b43eec3aa183a70a617187e9067127c18e6623
letters/s.wav s 92c9306a4b71c331478d85c773f26f39ca108a5c200c99bdcb6c51ddf6256d81
letters/t.wav t e02dd8042b3b453ac02c5863ef45eedc60f7d9e8cb36f021d6b4cf01133d953f
letters/u.wav u 5952b0bc8e5afb1e1cbb9c62916887ef0df11faa39b987230cbf2d363ec9848b
letters/v.wav v 5cc1fc882e42b20cdf524ac21c817fb68d9ae4479f6174d674507680f55beea1
letters/w.wav w 6994c2c7fea952e87f1e031cd8d19e814eb2fd77f6892c731963a748c0905369
letters/x.wav x 5b61fd38a3b62f79676e495147fd48435de36f73494522862daec01786dfc7a9
letters/y.wav y a8de45cda0e885e7961265627145d45a3ad2ae8b466899ecdb9c937390be0402
letters/z.wav z 8523d009a2eceea79009e7b074a89e08d68797ec40c0b2638f8cbe7bbc0e4ab8
"""

GAME_LETTERS = """
en/alpha/A.ogg a 2bfdad90b6fb5ea2e6885c7b77cc99408d5501809eb7ef1526cfe2af37f46281
en/alpha/B.ogg b 53984bd0ca7f36d412498a2ecedd37c7af8484ce3dc3a6cadb75f2d68dbe5bfc
en/alpha/C.ogg c 2852071b8f55d743d0ca23c7d51b0aea02441ed84244dfe0eaac1481cdcccb5f
en/alpha/D.ogg d b4da2073a8d77e54371e4eec639cff1961d1dc1feb9e1921d18a6eb2486c86c5
en/alpha/E.ogg e ac1e148a075b17fa1337f31e022c0f81833b2e908243343505a0b18ee66a5d47
en/alpha/F.ogg f 8698d0d6f2ba042eeca248e48ac7f96145d5fe89bf1bbe76ef04814ca84724c7
en/alpha/G.ogg g 761ad30a229bcef7711f8b3c5cd8e706b723680504a614539018bf10fae3d688
en/alpha/H.ogg h 382b6ad3233614c0a2a43096ac6e0ebcb7f1430e351f56f279ccd56cc7b2a652
en/alpha/I.ogg i 9c5574b3cb78f3da40e3f58f97d03c08c19862aba582f6771afb5e297c23795b
en/alpha/J.ogg j 7f00cf07d1337e1ff08a74dee27d2146f0b221abcb7e4d42ce4eb8bf53ee1378
en/alpha/K.ogg k f8289e2d2a53bf4ebe8a11f1fe8f3cbf8a2676b6eae279f224e077f71822e117
en/alpha/L.ogg l 79eed3f41568878b620ec9b64d8782117400ac0964549f1bbd7f33254d8f3a20
en/alpha/M.ogg m 3cfef8f404894f9c625cc7ba41026cecfb5238321144a3d0bbc118d2243d87a7
en/alpha/N.ogg n 763e18439b0485c394d98fd2be10b014959838868e1803a353e5a54d93d4786d
en/alpha/O.ogg o 8d4d7568a513f288e8a7bb9a16e9a983c99480f38d3c770eddb628b141baa3b8
en/alpha/P.ogg p 2400243970e09c338a68d46e7e3eae808f16b03e73a4f9d2499b201bb29a955d
en/alpha/Q.ogg q 8f7c5b51e3fd68bbc2f26ecfec5242f55161465bf61bec9fe221085d329f5be9
en/alpha/R.ogg r e90958c14d8a5a310ade1d330490d1a29183ad70901beca7a8c295d671bc1772
en/alpha/S.ogg s 321f9d385f5d55f9d33a5e530b3abb3bed3c2467ee8f182cfc5c63d15216cda8
en/alpha/T.ogg t f011bea718d2bbf72622bec32b7f46ec1ca41d19956e1f3d6e8258b99d6aca97
en/alpha/U.ogg u 68d74bff1d86b278567fd81c8ef26992997b3c6826f91315dd95f4fb00ebe636
en/alpha/V.ogg v a42fb87191c47530f2f629b5383ffd75f625c2c89ee25e16213ba37aa3093d1d
en/alpha/W.ogg w 0008991d0250d554dcec61f3d4621dca5ffc6c94ab7c1617ec8eae48256e0bbf
en/alpha/X.ogg x d03a1d68d57b8b562c6711eb550e2ba58e822a5f7a3e765d0e8410e401a54527
en/alpha/Y.ogg y 18e463a5278a1278355a2fe967a06952392323ae677c384f0459501cd1667e85
en/alpha/Z.ogg z 44fa702ec3c3252c63832fbffa1d6e30ebb82d87eaeb71d8d0fe45360b416a63
en_GB/alpha/a.ogg a fe0bbf3ec6f2da6c0d587262fc8324d453587010047d89ed4f5712e70bd564d0
en_GB/alpha/b.ogg b 0d2f0eb81efdcd412e23be6c1dcd17d2b5b0a9d82e4faffd277f75f325f75e5e
en_GB/alpha/c.ogg c 7709b4c57dc24d128d97861ea9c738bd56d9da1a6ce023930ac59a5a06e7ea8d
en_GB/alpha/d.ogg d 8ee02849747d836a7105e9e4745c01bc25f4b68ab4841f2bcf2711446a2113e1
en_GB/alpha/e.ogg e 6cb3f14f4b842afa19c74e1cff74735f4077fc71a0f0f583c7e5fa8c8e662131
en_GB/alpha/f.ogg f 411662c4f820489df503eb7dbcf9f3eca535445c0adc2d4abeb7630c77ce4993
en_GB/alpha/g.ogg g 6ba7cadd56e18266ab5715b719d620cce8eab606f59c0ff116656ae7f17d4303
en_GB/alpha/h.ogg h d9d6045df845e23b3da57b951e5c3d1cd8d4ebc9d114dc1f56a4253c1a20d80a
en_GB/alpha/i.ogg i ade8381a7fe8efb0d1eb050ab3c53c7f81bee94c81799b75f35ffbbdbce76e4c
en_GB/alpha/j.ogg j 4f9017cc097de6d17636a885240afe784f485fbb75f36e77986da8c7faafeda9
en_GB/alpha/k.ogg k 5f98fd48ff48be2c5c4c458e7e90512c913ce3a1ca32b3be1a6987c9a547f680
en_GB/alpha/l.ogg l b6e36f0e346ab0000b7131f35f5505fc8790690ac52475549ca918cba3ae79c1
en_GB/alpha/m.ogg m 165d0286f8af6c5d5f02fbd2336bceeccfc9477741a56672a787d671790e25d2
en_GB/alpha/n.ogg n 86295c693e3c769c4720e368cb1a6f4d093787b1edb99da89d2c793e9d5c0323
en_GB/alpha/o.ogg o 841d8610cc15e586c98bb5d3ed0881ed578ecd800650dd3bbceb739d39916157
en_GB/alpha/p.ogg p da5f5de34519e96dd0c6ae2fd2939feec5f08cb30dcf510c927e22c4e226333f
en_GB/alpha/q.ogg q 9d2c1480cf101546719cf49f099ee1a30b9f0fd6ba66f2049826c0dbf33d7f06
en_GB/alpha/r.ogg r 5ae4f0614644512f08b48488c4afd52bb65c5e392f2ef9a808f674c6cade6c88
en_GB/alpha/s.ogg s b665461b9eadf90793fd7535382cd2afb90d800f0d44d17408e413c0ca18fd91
en_GB/alpha/t.ogg t ee4f7c76e4668476551c9d4e1a4c8d8161c86fec5a57d8b599b79fc1289e39f9
en_GB/alpha/u.ogg u fc0ec2fad29b95606758bbf1527294c3d68ce8f5d99b04083208e1a596aa878a
en_GB/alpha/v.ogg v 3c036c4cb937e9ef2d68ae7a27f8d67f5b8e05d78b719f838f2a244aba6d09eb
en_GB/alpha/w.ogg w a41771b6de40a918914450b64b140b359bf47541d23b162c6f7bd73edea48fe1
en_GB/alpha/x.ogg x 14362cf157a424837877a45244442641af49afd017556ecf961f015d76e2bad9
en_GB/alpha/y.ogg y 1982a25c1c2c4df0ac242145fd60d86533e4d2170659964bafa461c2b81f36d9
en_GB/alpha/z.ogg z 55a8037b479baf527f349c1c6842d32f8cd78250d6363c368ef8decb04c90ad0
"""


class Said(NamedTuple):
    """What somebody says: the speaker, the text, and the samples at 8,000 Hz, the loudest of which is 1."""

    speaker: str
    text: str
    wave: NDArray[np.float32]


def words() -> list[Said]:
    """121 words and their text, said by one woman: numbers, days, months, the alphabet of radio and a few more."""
    return [*_read("prompts", PROMPTS, WORDS, lambda name: "Allison")]


def letters() -> list[Said]:
    """The names of the 26 letters, said by three people: the woman of `words`, an American and a British speaker."""
    game = _read("game", GAME, GAME_LETTERS, lambda name: "British" if name.startswith("en_GB") else "American")
    return [*_read("letters", PROMPTS, LETTERS, lambda name: "Allison"), *game]


def sentences() -> list[tuple[Path, str]]:
    """Five sentences of a novel, read by one man: the files, at 16,000 Hz, and what is said, in small letters."""
    names = {f"{CHAPTER}-{number}.wav": digest for number, (_, digest) in SENTENCES.items()}
    folder = fetch("sounds/reading", (READING,), names)
    return [(folder / name, text) for name, (text, _) in zip(names, SENTENCES.values(), strict=True)]


def spoken(speaker: str, text: str, sound: object) -> Said:
    """What is said in a file, or in samples with their rate, without the silence at its ends."""
    wave = nw.Audio(RATE).encode(sound)[:, 0].numpy()
    loud = np.flatnonzero(np.abs(wave) > np.abs(wave).max() * 10 ** (-TAIL / 20))
    wave = wave[loud[0] : loud[-1] + 1]
    return Said(speaker, text, wave / np.abs(wave).max())


def _read(folder: str, package: Package, lines: str, speaker: Callable[[str], str]) -> Iterator[Said]:
    """The recordings of a table with a file, its text and its sha256 in each line."""
    table = [line.split() for line in lines.strip().splitlines()]
    place = fetch(f"sounds/{folder}", (package,), {name: digest for name, _, digest in table})
    for name, text, _ in table:
        yield spoken(speaker(name), text, str(place / name))
