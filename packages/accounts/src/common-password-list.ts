/** The 17950 most common passwords of 8 characters and more, written by `scripts/common-passwords.ts`. */

/*!
 * @license The list of passwords is that of @zxcvbn-ts/language-common, under this licence:
 *
 * Copyright (c) 2012-2016 Dan Wheeler and Dropbox, Inc.
 * Copyright (c) 2021 @zxcvbn-ts
 *
 * Permission is hereby granted, free of charge, to any person obtaining
 * a copy of this software and associated documentation files (the
 * "Software"), to deal in the Software without restriction, including
 * without limitation the rights to use, copy, modify, merge, publish,
 * distribute, sublicense, and/or sell copies of the Software, and to
 * permit persons to whom the Software is furnished to do so, subject to
 * the following conditions:
 *
 * The above copyright notice and this permission notice shall be
 * included in all copies or substantial portions of the Software.
 *
 * THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND,
 * EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
 * MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
 * NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE
 * LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION
 * OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION
 * WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
 */

/** Each entry is a digit of base 36, how many characters it shares with the one before, and the others. */
export const COMMON_PASSWORDS = `
0!qaz2wsx 4xsw2 0%%passwo 1e2%82%ac 0.adgjmptw 00.0.0.000 1000000000d ao 8a 71 77 49999 4aaaa 3777fffa 396462 499888
2197400 27james 2948230 398877 11011900 71 610 650 75 77 78 660 71 72 73 74 75 76 77 78 670 71 72 73 74 75 76 77 78 79
680 71 72 73 74 75 76 77 78 79 690 71 72 73 74 75 79 42000 71 610 71 320304 805 a06 41980 75 76 77 78 79 690 72 331976
680 71 73 74 75 76 77 78 79 691 341979 680 71 72 73 75 76 77 78 79 690 72 73 351974 79 680 73 75 76 77 78 79 690 361979
682 73 74 75 76 77 78 690 72 371978 680 73 74 75 76 77 78 79 690 381975 78 680 75 76 78 8m 79 690 72 391979 680 74 75 76
77 78 79 692 2101979 685 77 311987 690 321980 74 75 76 77 78 690 2234567890 a10 4654789 598745 23cpfza 2470258 80369
4258369 48520 7369 5963 825 292837465 2telemike01 12011970 71 72 73 74 75 76 77 78 79 680 71 72 73 74 75 76 77 78 79 690
321970 71 72 73 74 75 76 77 78 79 680 71 72 73 74 75 76 77 78 79 690 71 331970 71 72 73 74 75 76 77 78 79 680 71 72 73
74 75 76 77 78 79 690 71 341970 71 72 73 74 75 76 77 78 79 680 71 72 73 74 75 76 77 78 79 351970 71 72 73 74 75 76 77 78
79 680 71 72 73 74 75 76 77 78 79 690 361970 71 72 73 74 75 76 77 78 79 680 71 72 73 74 75 76 77 78 79 690 371970 71 72
73 74 75 76 77 78 79 680 71 72 73 74 75 76 77 78 79 381970 71 72 73 74 75 76 77 78 79 680 71 72 73 74 75 76 77 78 79
391970 71 72 73 74 75 76 77 78 79 680 71 72 73 74 75 76 77 78 79 2101970 71 72 73 74 75 76 77 78 79 680 71 72 73 74 75
76 77 78 79 311987 321981 73 343006 2551670 388520 13011984 75 76 77 691 321978 79 682 76 77 79 331981 72 73 74 76 77 78
79 690 71 72 73 341975 680 73 74 75 76 77 79 691 351979 680 71 74 75 76 77 78 361977 684 75 76 77 78 371978 680 73 74 75
76 77 79 381984 78 79 42006 391983 74 76 78 2101979 683 74 75 78 79 691 311986 77 321985 76 23028pw 14011987 78 690
321985 77 690 331982 691 341982 73 74 75 76 77 78 690 71 351983 74 75 77 78 690 361980 72 74 76 77 78 690 71 371982 73
76 77 78 381978 682 75 76 77 79 391985 76 2101977 680 311986 78 79 691 321982 74 75 76 77 78 2325956 2975756 15011987
321985 77 78 79 331981 74 76 77 78 690 71 341983 74 75 76 690 71 351975 680 72 73 75 76 77 78 79 690 71 3605rostik 41980
71 73 75 76 77 78 79 690 371983 74 75 76 78 381977 685 76 77 78 79 692 391985 77 78 2101983 74 76 311982 76 321983 75 76
78 690 16011982 74 77 78 321981 74 76 77 79 331983 74 75 76 78 692 341984 77 78 351983 75 76 77 361981 72 73 75 76 77 78
690 371983 74 75 76 77 78 690 381979 683 75 76 77 78 690 391989 2101985 76 79 311984 75 76 690 321982 2225930 351106
23dyjuy 17011980 78 79 321980 74 76 77 79 691 331985 76 78 79 341979 680 73 75 76 77 78 79 351987 690 361985 76 78
371977 680 72 74 75 76 77 78 79 690 381981 72 73 74 76 77 79 391982 75 78 690 2101962 683 74 75 77 311982 77 321984 77
273417k 2831505 2931505 18011986 78 321985 79 690 331977 680 73 75 76 77 78 341980 72 75 76 78 351987 79 690 361984 75
76 77 79 371983 75 76 77 78 381976 79 681 73 75 76 78 79 690 391988 2101980 76 311983 74 321986 77 354711 2522580 3tzzqi
19011985 77 690 321988 79 331981 77 78 341985 76 77 690 351945 675 78 681 73 74 75 76 77 690 361990 371981 74 76 77
380706 58qwe 41984 75 78 391979 686 78 2101984 75 76 311983 77 321982 73 75 77 287654321a 47890 1cdh0v99ue 1l8kchek
1o9i8u7y 86t 2km9ijn 1p9o8i7u 1raziel0 1sister0 010011001 5980 73 76 78 79 690 72 3200300 41982 73 75 76 77 78 331980 74
75 76 77 78 79 690 71 73 341979 682 73 74 75 76 77 79 690 71 351983 74 75 76 77 78 79 690 361980 74 75 76 77 79 371980
73 74 75 76 77 78 79 690 381981 72 73 75 77 78 79 690 71 391980 74 75 76 78 79 3years 2101968 675 77 680 71 72 73 75 76
77 78 79 690 71 454yy 311213 5981 73 76 77 78 79 321976 79 682 74 75 76 77 79 2203040 85 90 a60 341024 393847 85 96 aq
8qp 2987654321 2inches 11001001 311980 72 75 77 79 690 71 42566 321981 74 75 77 78 690 331980 72 73 74 76 77 78 690
341974 680 73 75 76 77 78 690 71 351979 682 74 75 76 77 78 79 690 361980 73 74 75 76 77 78 79 691 371983 74 75 76 77 78
79 381978 680 72 73 74 75 76 77 78 79 690 391983 74 75 76 77 79 690 2101979 682 75 76 77 690 311111 811zz 8a 78 7a 7q
6aa 522222 5978 79 682 73 76 77 691 5aaaaa 42222 44444 49999 4aaaa 4qqqq 321314 815 5980 71 74 75 76 77 690 42233 83
9000 9444555 9a 3luzer 3zzzzz 2221122 811 43300 611 644 85 95 a66 8q 655 6aa 6qq 4qqww 334567 45813 82 91 351422 2335577
899 28a105b 2924704 2c645df 2qq22ww 12011979 680 75 77 78 79 321980 72 73 74 75 76 77 78 690 71 331982 74 75 76 77 78 79
690 341961 676 77 78 680 72 73 74 75 76 77 78 690 71 351980 71 72 73 75 76 77 78 79 690 361980 74 76 77 78 690 371980 72
73 74 75 77 78 79 690 71 72 381983 74 75 76 77 78 690 73 391982 73 76 77 78 690 71 2101492 5984 75 76 77 78 79 690
31123a 5981 74 75 77 690 71 321977 680 71 72 74 75 76 77 78 79 690 71 4312121 5434 331213 5415 816 341618 2211221 43443
33334444 a55555 5445 2301230 312312 83a 9q 6321 645 86 6789 6asd 6qq 7w 8e 9qwe 32323q 54345 458789 332100 612 83 9321
645 86 9654 6aa 7z 6qaz 7q 7w 8e 9ewq 340987 41231 74q 42000 43412 44321 8a 8q 4509876 5123 84 7i 52000 6345 5432 81
5543 82 91 aa aq 5600 611 72 83 62000 6321 654321 76 6654 9321 76 670 71 72000 77 8654321 78 80 81 82000 88 97654321 89
9* 9. 90 a0 b0 b987654321 a1 b2 a987654321 aa ad al am ao ap aq baz bw ce drty as aw az bzz 91 a0 b1 a2 b3 92000
987654321 99 a87654321 9a aa ba abc as bd 9b 9c 9d 9e 9f 9g 9i 9j 9k 9l 9m 9n 9o 9p 9q aaz aq bq aw be cr dty 9r 9s 9t
9v 9w 9x 9y 9z ax bc az 8a 8c 8d 8i 8l 8m 8q 9we 8s 8w 8z 79 88 7a 8a 7b 7d 7j 7k 7l 7m 7q 8w 9ertyu 7r 7s 7t 7u 7v 7w
7z 687 79 698 87 79 6aa 8a 7b 8c 7s 8d 6qaz 7q 8q 7w 8e 9r at by 6rrr 7u 6ss 6zx 8c 9vbn 7z 8z 5789 59876 5abc 8d 9e 6sd
8fg 5love 5qaz 8wsx 6qq 6we 8r 9t a7 ay 5rewq 5trewq 5zxc 8vb 46789 47890 48765 49876 4abcd 5sdf 4kekc 4qwer 8asdf czxcv
8t 9y 4rewq 5mvb 4zxcv 356789 478951 481321 365478 89 90 9a 6987 49874 81 85 7z 378945 86 3987456 3abc123 4s123 5d123
3boots1 3ewqasd 9cxz 3happy 4fjdk147 3joker 3lol123 3masha 4udar 3qaz123 6wsx 4q123 4w123 5aszx 5e12 83 9qwe 6321 6456
9rty 6as 8d 9zx bc 6qwe 6rt 8y 9123 3vv123 5v123 3zxc123 2435687 357896 83 381632 2601196 2758698 2andriy14 2e3e456
2inches 2locked 2monkey 8s 2q34w56e 3w12qw 434er 856ty 4aszx 4erty 2s3t4p55 3tring 13011976 681 73 74 75 77 78 321984 75
77 79 690 71 331980 73 75 76 77 79 690 71 341984 77 78 79 351983 75 76 77 78 79 690 361983 74 75 76 77 79 690 71 371979
682 73 74 75 77 78 79 690 71 381978 682 73 74 75 76 77 78 690 391982 74 75 76 77 78 690 2101982 75 77 78 690 72 311982
74 75 76 78 690 321980 72 73 74 75 76 78 79 690 2243546 857 45678 5768 465798 3forever 2324124 3andre 24679258 682 75 82
90 3kzbip 25135ab 371113 42468 46479 4908642 511q 635 5246 88 90 57531 58642 597531 26611gt 14011986 77 78 79 321977 683
74 75 76 77 78 79 690 71 331972 78 680 74 75 76 77 78 79 690 341976 684 76 77 78 691 72 351977 681 72 73 75 76 77 690
361982 73 74 75 78 691 371789 5983 76 77 78 381982 75 76 78 79 690 391982 76 77 78 79 690 2101983 75 76 77 78 79 691
311982 74 76 77 78 79 321979 686 77 78 79 342135 359265 22536789 2314314 2725836 89 90 9a 3369258 385236 89 6963 49632
81 85 3963258 2881488 2938685 2vbqk9p 15011981 73 75 76 77 78 690 321983 74 75 76 78 690 71 331975 684 75 76 77 78 79
690 71 341980 72 73 75 77 78 351981 72 73 75 76 77 79 690 71 72 361983 74 75 77 78 371980 71 72 73 74 75 76 77 78 690
381980 73 74 75 76 77 78 79 690 71 391983 75 77 78 79 2101982 73 74 76 77 691 311984 75 76 77 78 79 321977 683 74 75 76
77 79 361718 3nxjmt 2253545 3geczn 2426378 3ugeiu 2541632 28uefas 29357123 6258 6456 76 6852 375300 612 83 759753 621
7486 758 6456 9852 76 6852 691 387532 81 3951159 2s9pu03 16011982 73 75 76 77 79 691 321982 73 77 78 79 690 331985 76 77
78 690 341978 684 75 76 78 351985 76 77 78 79 690 361981 73 74 75 76 77 78 690 371983 75 76 77 691 381980 75 76 391986
77 78 690 2101985 76 77 311982 73 74 76 77 79 690 321982 75 76 77 691 17011701 5985 76 77 690 321982 73 75 76 77 78 79
331983 74 75 77 692 341984 75 76 77 691 351979 681 73 76 77 78 79 690 361982 73 75 76 77 78 79 691 371984 75 76 77 79
690 74a 381984 78 690 391979 681 74 75 76 77 2101980 76 77 311979 682 75 76 77 78 79 321983 75 76 77 371717aa 22839456
2711771s 18011984 75 76 77 78 79 321982 74 76 77 78 692 331980 71 72 76 78 691 341983 74 75 76 78 690 71 351982 74 75 77
78 79 690 361980 71 72 74 75 76 77 690 71 371979 681 73 76 78 79 690 381982 76 77 78 79 391984 75 76 77 2101985 77 79
311983 74 76 77 321812 5979 683 74 75 77 690 2254288 373645 2436572 2821221 2n28n24a 19011981 75 76 77 79 321980 72 75
690 71 331980 75 77 341978 685 76 77 78 351977 681 73 76 77 361982 74 75 76 77 690 71 72 371983 75 76 78 79 690 381982
73 75 76 77 78 391980 73 76 78 690 2101982 73 76 77 79 690 311984 75 76 77 321978 682 75 76 78 79 2216801 611 383746 85
95 9q 23570356033 371ayj 42846 380018 391945 2411945 258proman 2688691 2719870 32chev 333791 355791 361977 2801982 74
311983 321983 42891 331985 43891 341989 44891 351985p 45891 361987 46891 4irachka 4mets 377891 388891 391959 49891
2911992 321993 42991 332916 43991 34200414 44991 352009sa 45991 360610ilja 46991 377991 392000 2mtpgam19 2thhole
1a2a3a4a 85a a6a 3b3c4d 85e 3s3d4f 85g a6h 2aaaaaa 2bcdefg 2ndonly 2rsenal 2sdfghj 3shole 4word 2utopas 1basebal 4tard
2bbbbbb 2igdadd 5ick 4fish 4tits 3llion 2laster 2randon 3other 2ulldog 5shi 3tthea 1carolin 2cccccc 2harles 6ie 3elsea
4ster 3icken 3risti 2ompute 3rvett 3wboys 2racker 3eativ 3icket 3ystal 1diamond 3gital 2olphin 2rummer 1eeeeeee 2scobar2
2xplore 1ferrari 2ishing 2lorida 4wers 2ootbal 3rever 2reedom 2uckyou 1gabriel 3ndalf 3teway 2gggggg 2rizzly 1hardcor
2eather 3rbier 2hhhhhh 2undred 2xboqg2 8s 1iiiiiii 1j9e7f6f 2ackson 3smine 2effrey 3nnife 3ssica 2jjjjjj 2ohnson
1ladybug 2etmein 2oveyou 1magneto 3nager 3tthew 3veric 2elissa 3rcede 2ichael 5ell 3llion 2onster 4tana 3untai 2ustang
1newlife 1packers 3nther 5ies 3ss1page 5wor 8d 3trick 2eaches 3nguin 2hoenix 2orsche 2rivate 2umpkin 1q2q3q4q 85q 3w3e4r
85 9t a6y 23e5t7u 89o 2a2ws3e 8d 94rf c5tg 3sw23ed 3y2wsx 4xsw2 3z!qaz 40okm 42wsx 83 9edc c4rfv 43edc 4@wsx 4wsxedc
4xcvb 5dr5 5sw2 83edc cvfr4 4zaq1 2w23er4 3erty1 72 77 7u 8iop 1raiders 4nbow 3ngers 2ichard 2osebud 1s1h1e1f1 2amanth
2cooter 4rpio 2ervice 3xyred 2impson 2pecial 2tartre 5war 3eeler 4phen 3unner 2uccess 3nshin 3perma 1therock 3under
2iffany 2rouble 1vampire 2oyager 1w2e3r4t 3q3r4e 3w3w4w 2arrior 2ildcat 4liam 3nston 1x2zkg8w 2rg4kcq 2xxxxxx 1yankees
1z2x3c4v 85b 2xcvbnm 2zzzzzz 02000jeep 311979 680 71 73 74 75 77 78 79 490ru 321980 71 72 73 75 76 78 690 71 331980 73
74 75 76 77 78 690 71 72 34-10- 61- 41980 71 74 75 76 78 690 351981 73 74 75 76 77 78 79 361980 71 73 74 76 77 78 79 690
71 371981 73 74 75 76 78 381984 75 76 77 690 71 4m2009 391983 74 76 78 79q 691 2101982 74 76 77 78 311984 75 76 77
321982 75 76 78 79 362016up 3jedlz 2spanks 11011981 75 76 77 78 79 690 71 321983 74 75 76 77 78 79 690 331981 74 75 76
77 78 690 341978 683 75 76 77 690 71 72 351979 683 74 75 76 78 79 690 71 361980 73 75 76 77 78 79 371982 73 75 76 77 79
690 72 381980 75 77 690 391984 75 76 77 78 79 690 2101980 71 73 76 77 78 79 311983 75 76 79 690 321978 680 74 75 76 77
78 79 42112 45150 4rush 22009164 3121qaz 23546879 3qwe879 2436587 809 12011975 685 76 78 692 321984 75 76 78 79 690
331981 74 76 77 691 341976 683 75 76 77 78 691 351980 76 77 78 79 690 71 361941 682 74 75 77 78 79 690 71 371981 73 74
75 76 77 78 79 690 71 72 381981 73 75 76 77 690 71 391977 681 73 74 75 76 77 78 690 71 2101981 73 75 78 311982 75 78
495ws 321978 682 73 75 76 77 79 2221111 422000 43333 44444 48888 2334455 360679 2446688 278124q 2q04w90e 13011980 72 74
75 78 79 690 321973 75 77 78 682 73 74 75 76 77 78 79 691 72 331980 73 75 76 77 78 79 690 341982 73 74 75 76 77 78 691
49307 351978 680 73 74 75 76 77 690 71 4822q 361976 680 73 75 77 78 79 690 72 371981 74 75 76 78 381984 76 391982 73 75
76 77 79 691 2101981 77 78 311982 75 76 77 79 321982 73 76 376djivanfros 2843dima 2jordan 2skidoo 2wesdxc 3koa0fp78dk
14011983 75 76 77 79 690 4pedro 321983 74 75 76 77 78 691 331980 71 75 77 78 690 341984 75 76 78 690 351979 685 76 77 79
690 361984 75 76 77 78 692 371986 77 79 690 71 72 381982 76 77 78 690 391984 76 691 2101980 74 75 76 77 78 79 690 71
311981 72 73 77 79 690 321982 74 75 76 77 78 79 690 23462536 25lufpq 268013579 41012 5357 89 48642 2861793 3ujnfk
2gordon 2pnz6kc 15011982 73 75 76 78 690 73 321978 683 74 75 76 77 78 4557i 331980 73 74 76 77 691 341980 73 74 75 77 78
691 351980 73 74 75 77 78 79 361985 76 77 371978 683 74 75 76 77 79 690 381983 75 76 77 78 79 391983 74 75 76 77 78 79
690 71 72 2101986 78 79 311978 686 77 78 691 321982 73 75 76 77 2251325 24xtpss 2800852 42580 16011981 76 77 79 690
321985 77 690 72 331980 72 74 75 76 77 78 690 71 341983 74 76 78 690 71 351986 77 78 690 361983 75 76 77 79 691 4642yra
371984 76 77 79 381983 75 76 391984 75 76 3zntpc 2101983 74 76 77 311978 684 75 77 321983 74 75 77 79 2429vadim 27ksyjf
17011981 72 73 75 76 78 690 321986 690 71 72 331983 74 75 76 77 79 692 341985 77 78 690 351984 75 76 77 691 361983 74 75
78 79 690 371982 73 74 75 77 78 381985 76 79 690 391983 74 75 77 691 2101987 79 311978 682 74 75 79 690 321981 76 78
2731828 18011987 78 79 321981 73 74 75 76 79 690 72 331981 72 73 74 76 341983 76 77 78 692 351981 73 75 76 77 78 79 690
361983 74 75 76 78 371978 682 73 74 75 76 77 78 79 381984 75 76 690 391982 74 75 77 2101979 686 78 311982 74 76 77
321984 76 77 78 79 690 27hf71h 2infern 19011980 72 73 75 77 78 690 331982 73 76 78 690 341982 74 75 76 77 78 79 351984
75 76 77 79 690 72 361982 74 75 76 77 78 79 690 371981 72 73 75 76 77 78 381982 73 75 77 78 690 391977 680 72 75 76 77
690 2101982 75 311983 77 78 79 321981 72 74 75 76 77 78 29792458 1b4dnvsx 28riedt 2igtits 2ornot2 8b 1children
1dumb2live 1hot4you 1i5fdruv 1kash6zq 1letmein 1sexy2ho 1w3e4r5t 293jpa4 2j2k9oj 2sx1qaz 43edc 44rfv 4cde3 4xsw2 4zaq1
1ykn5ccf 030011980 73 75 76 77 690 331979 686 78 692 341985 76 77 78 691 351981 74 75 76 77 78 79 361979 680 71 72 73 75
76 77 78 79 371979 682 73 75 76 692 381982 74 79 391983 75 79 2101984 76 77 78 311982 77 321984 75 76 77 78 25pwzlr
2624700 2seconds 11011983 75 77 690 321364 331986 77 78 690 351977 682 75 76 77 691 73 371977 680 73 75 76 690 381985 79
2101986 77 691 321910 682 73 75 76 77 78 690 3music 2217221027711 2359092 2415926 85 94 77 121456987 365498 87 4732167
3ret32 26159487 8worms 133222111 331111 44444 3666999 2445566 25533aa 2rjhjds 143104ky 2524815 2erdfcv 160moden 211jcmg
36615a 49544 2460341 28ejhih 2925814 87 385214 87 47412 85 17583867 180zliki 23295502 3pdjvl 2972091 2gjgeuftd 1children
1edc4rfv 4vfr4 1f3fpht7op 1rjs1la7qe 1stooges 2yqo15hil 1techsrl 1xbobobo 040028922 277mash 113276191q 2513042
2d8cd98f00b 12042042 3842084208555 3smoke 27cobra 294967296 2qwerty42 13046721 211111q 2211234 4rewq 14332211 2445555
48888 3555666 2556677 2e3ebda 2magnum 1506802a 21236789 24dfmcq 26123789 345645 378912 83 383968 2m2do5bs 16466452
2775575 174jdvff 28jfszk 1809594q 2151623 84 92 aa alf bost aq 2n25rcc 1904s677075 2527843 3rus19 1cranker 1ebouux8
1fa82hyx 2reedom 1g3izhox 2xrzemq 1me2know 1p9f8nja 1r3e2w1q 2fv3edc 45tgb 2zp8ab7 1seasons 2olomon 1z34l0ts 3al0ts
050spanks 11051051051 394didi 2501984 42112 45150 325354 2842543 12545856 2678677 131879fiz 245321aa 1411pimo 3233432442
332442 232112345 25ettvy 151scasi 2378008 2443322 811 395746 3uzpad 2556666 3666777 2667788 2832811 2bgates 16259090
25hlgqo 27rntvm 2836803 17392632 2699434 18565254 38855abc 19382113kevinp 1c92v5h6 1element 1gtgiaxm 1hsu75kpot
1t4r3e2w1q 26y7u8i 2gb6yhn 4nhy6 1unshine 1w76rnqp 2r2i7h8 061808861 1215mila6215 25vrobg 2717315 1339cndh 140xwfkv
258zn7a 15mustan 16005918 2613666 369999 3999666 3satan 2778899 29e53e1 2mustan 8g 171fsa75yt 2390436 2899876 2camaro
2mustan 182regkh 246kg3r 26xqxfg 2camaro 19213124 2camaro 2mustan 1gcf636i 1jhwmqku 1xe8j2z4 1yhn7ujm 0705499fh
2780070780 11727374 13501505 1410258963 48520 323698 85 45896 83 385296 83 90 6kk 3963852 22617000027 28159263 153951456
6852 24740g0 1653ajl1 34321a 2689295 3rglqy 170129ji 2347734 27555333 37755102q 5778 7a 7f 7q 7s 7z 48888 3888999 3angel
2sunset 18621323 2789898 29123456 345612 83 90 9a 9q 363214 85 87 454123 378978 3951123 2n3s5af 194613258 6852 1elephant
9s 2rtu3ds 1f4df451 1gorwell 1hrdnw23 1imjfstw 1jokx7b9du 1ovtgimc 1samurai 1u8i9o0p 2gd5hip2j 080070633pc 2361665abc
2637852730 28state 296468644q 372694711 388218126 2camaro 11726354 1218yxfz 24358553 1363eddy 15200258 2852008 163abgsg
2753099 2chevyx 17062134 85 22rlcfo 2654321vv 28kckxy 2e5nclizry 18002000600 2351132 2887777 49999 190098890 315173454
332073168 357003343 363032220m 2132664230 372735872 381502334 2211375759 331243658s 38190a 2600506779 314774181
2876065093rax 2semtsriuty 1j4ye3uz 1letters 1phrowz622 94 1seconds 1xuuobe4 09085084232 4603566 111turbo 2328378 27190qq
28273645 2929394 12702689 293709b13 1379992a 7q 144turbo 151753852 16321478 85 458741 385274 81 90 1731553197 18256518
27321654 341236 85 45632 81 90 3654123 6321a 9g 9z 46789 398798 29244342a 19762000 2887766 855 29111999q 3666333 3888777
2ranger 2strenght 1hmlpyjd 2otpoin 1kyq6fge 1z5ve9rrcz 0a1111111 2234567 88 99 a0 7a 7b 7z 29l1980 2a2a3a4 8a5 2b2c3d4
8e5 2l2e3x4 2s2d3f4 8g5 ah6 12345678 132tv8ls 2930571 2eilm2s2y 17777777 289456123 2nz8546 18kd47v5 19387670a 287654321
1a111111 6aa 323123 5321 5456 8789 8s 2a12345 86 6aaa 3a1111 622 4aaa1 4bbbb 4ssss 3bbbccc 2bbccdd 2rdvark 3on123
2ssddff 2urafmf 1b123456 4cd34 2beyroa 2c12345 86 9789 6abc 3abc55 3d1234 85 96 4e123 845 5f12 83 6g1 2dullah 2ercrom
8bie 4deen 2hishek 2igail1 2normal 2racada 8bra 4kadabra 4mova 2sinthe 3olut1 7e 8ly 3tract 2uelita 3lafia 3ndance
1c2zxdty 2ademia 7c 3pulco 2ca3344 3ess01 610 72 83 74 76 620 72 688 699 6no 3ident 3ount1 7a 7bloc 7ing 7s 2deehan
2erview 3shigh 2hilles 2idbath 5urn 4rain 2kerman 2milan1 2oustic 2tivate 7ion 2un3t1x 3ransx 5rsx 1d12345678 2albert
3m1234 3pters 2dicted 6ion 4tion 2elaida 7e 5nte 4heid 4phia 2gjmptw 2idas11 72 623 669 699 2juster 2m15575 3in123
68533362 5istrator 4ral1 2olphus 2renali 8n 9e 5olin 3iana1 6na 81 7e 4enne 2v12775 3ance1 7d 5tag 8e 3entur 8e 3ocate
2xel187 1erobics 4flot 4plane 4smit 8h 5pac 5tar 2ssedai 2zakmi1 823 1ffinity 2ghanistan 2hvfwtdn 2rican1 4ka2002 3odita
7e 2terglo 5mat 8h 5noon 1gamemno 8n 3pov58 2bdlcid 2ent007 2garwal 2nieszka 3ostic 2ricola 2uilera 1ikman08 2rborn1 7e
4rush 3craft 3edale 3force 81 3jorda 8n 3lines 3plane 2shiteru 4warya 1jcuivd289 2njuhfa 8bz 1k470000 41996 2ademia
3tsuki 2infeev 3ra123 2sarben 3jdlasdakj89879 2varium 1l123456 2abama1 823 5ste 3kazam 3nfahy 3stair 2bacore 4tros 8s
3ert12 6a1 6jr 6o1 3right 3uquerq 2capone 4traz 3hemist 3oholi 2debara 8n 4raan 2eister 3jandr 8a 8o 91 3ksand 8er 8r 9a
5eev 8a 3mania 3na123 6992 52010 4ushka 3ssand 8r 9a 9o 3vtina 3x1234 85 5959 671 73 74 75 76 680 71 72 73 75 77 79 690
71 72 73 75 76 78 42000 79 610 5112 48899 4alex 5nd1 7e 8r 91 7r 8a 91 8e 8ia 8u 4is01 4sander 8r 2fabeta 4rome 8o
3redo1 2gebra1 4rnon 2hambra 2icante 4e123 3gator 3na123 6994 85 88 52000 82 86 89 710 81 5alina 4o4ka 5chka 3saalisa
4tair 2kaline 4naft123 3ogolik 2lah786 5uakbar 4lone 4n123 3black 8s 3en123 4ycat 3iance 4gato 8r 4son1 5ter 3night
3ochka 3right 3star1 7s 6te 3theway 3ybong 2maz666 3ighty 2oevera 3homora 3uette 3ysius 2pacino 3ha123 635792468 5bet 8a
6ravo 5dog 5man 5ome 8ga 6ne 5sig 4onse 2skdjfh 8g 2tamira 4vista 3erego 5nat 8iva ae 3itude 2ucard1 3minum 2varado 5ito
1m4h39d8nh 2adeus1 7ptfcor 3nda01 610 71 72 83 78 669 696 5ine 3ranta 7h 4illo 3terasu 5urs 4uers 3zing1 4onas 6ka
2bassador 3er123 5dog 5lee 3ition 3rosia 3ulanc 8e 2c20277 2ekpass 3rica1 72 77 7n 81 7s 5tec 4sham 3thyst 2iga500
2orcito 4emio 3ureux 2sterda 8m 91 1n83546921an13 2abelle 4olic 3conda 3kin99 4onda 3lfuck 4love 4slut 4ysis 3maria
3rchy1 3staci 8a 6si 8a 8ja 8y 9a 7ya 3thema 4oliy 2cella2 3horag 7t 2derlecht 5sen 6on 3ranik 4e123 5a00 610 71 72 669
699 6s1 5eva 5i123 6ka 5tti 5w00 71 610 71 72 83 73 77 621 72 73 633 669 688 699 6jackie 6s1 5y12 83 7992 6ka 4omed 8a
3y2000 4andy 4od22 2field1 2gel007 5100 623 5200 710 5666 5777 5a12 6ngel 5bab 5dog 5eye 8s 5fac 8e 6ir 5ica 6ka 6na 7e
6qu 8e 6ta 7o 5o4ek 6chek 6fwar 3uilla 4s123 2hnhoem 3yeuem 2imal2000 6es 6s1 7ex 5ted 6ion 6or 4e123 3simov 2na12345
5979 682 74 75 76 77 78 79 690 72 74 77 78 42000 72 610 5614 4anna 4bell 8a 8e 4lisa 4mari 8a 4poli 4rbor 3elies 6se
4mari 8e 4tte1 3ie123 5dog 3marie 3ushka 2ointed 3nymer 6ou 8s 3ther1 2tananarivu 3eater 4lope 3hony0 71 82 72 73 74 75
77 78 79 3ichrist 4etam 4flag 4gone 4hero 4lles 4ques 4virus 3on123 6992 5ell 8a 5ia1 6na 7o 6o1 72 73 7j 6us 5ova 4shka
3werp1 2uradha 2ything 4imetoday 3where 1olsucks 2tearoa 1pache64 3rtment 2erture 2hrodit 8e 2ocalyp 8se 3kalipsis
3llo11 72 73 77 2pelsin 3le123 5bee 5gat 5jui 8ce 5mac 5pie 5s12 83 6auce 6eed 5ton 6re 3patch 3raise 4oved 1q1sw2de3
2swdefr 2uafina 4lung 4mann 4rium 7s 3emini 2wzsxedc 1rabella 3chnid 3gorn1 2buckle 2cadia1 4ngel 3hange 8l 4ibal 8d
5med 5tec 8t 5ves 4mage 3light 3turus 2dennes 2egdone 3nrone 3quipa 3yukesc 2gentin 8a 6um 3onaut 3uments 2hangel
2ianna1 3stote 7l 8e 3zona1 2kangel 5sas 2lingto 8n 2madill 8o 4gedd 8on 7o 8n 4stus 3chair 3enian 3itage 3stron 8g
3yofon 2nster55 2rogant 4whea 8d 2schloc 8h 3ehole 4nal0 71 823 84 72 77 79 7f 8c 3havin 2t131313 3cast2 3efact 4m123
6991 82 84 85 88 52000 710 5777 5artem 5is1 3hur69 3ichok 4ller 8y 4stic 3ofwar 3ur123 54ik 2wpls4u 2xangel 1s123456
4az23 25ffz17i 2bestos 2d12345 86 6asd 9123 6qwe 3asd12 83 622 6as 3f0987 41234 85 44321 467nm 4asdf 81 4fdsa 4g123 84
95 5h01 612 83 9456 6j1 7k 8l 91 a23 4jkl1 7; 4lkjh 4qwer 4rewq 4vcxz 4zxcv 3qwe12 83 3zxc123 2fnhg66 2hcroft 3leigh
5y01 610 71 72 83 79 622 74 669 2ianlov 2modean 6us 2paragus 3irant 5ina 7e 2sa1234 4sins 5sin 8s 3clown 4rack 3eater
4mbler 7y 3fuck1 7e 8r 3hole1 823 72 73 7s 3licke 8r 4over 3maste 8r 4onke 4unch 3ociat 4rted 3word1 2talavista 4roth
3erios 6x1 5oid 3onmar 8tin 5vil 8la 3ra123 5334566 4oboy 5dog 5log 5man 5naut 6om 8y 5van 3urias 2uncion 1t4gftlw
2alanta 2herton 3letic 4on64 2kinson 2lanta1 6ic 7da 7s 3etico 3jhjdf 2ombomb 2reides 2titude 3orney 1uckland 82010
2gsburg 3ust10 71 72 75 76 77 79 620 71 72 74 75 78 79 630 71 6in 6us 2ntjudy 2relien 6us 2stin01 611 72 83 631 86 697
6tx 4rali 8a 91 2techre 3hcode 3obahn 5ody 4mati 8c 4pas1 7s 1vailable 3lanch 8e 4on11 3ngard 2emaria 3nger1 7s 4tura
2iation 3onics 2ogadro 3ndale 2rillavigne 2toritet 1wdrgyjilp 2esome1 823 72 2o8rx3wa8t 1z123456 2athoth 2erbaijan 6ycan
4ty12 83 6ui 8op 2fpc310 2lk2141 2npride 2sxdc123 6fv 8gb 2webitalia 0b0ll0cks 2nehead 11234567 1929ezzh 1abalola 3e1987
4magn 8et 4ruth 3ochka 3ushka 3y1234 42000 4baby 5ear 5ird 5lue 5oy1 4cake 8s 4doll 4face 4girl 81 82 5url 4huey 4lon1
75 76 6ve 4phat 4ruth 2cardi1 3chus1 3helor 3kbone 4d00r 5oor 5raf 4hand 5ome 4lash 4pack 4side 5pac 8e 4ward 5ood 4yard
3teria 2d11bad 3abing 5oom 3boy123 669 6s2 3gers1 4irls 3habit 3iman28200 3karma 4itty 3lands 3minto 8n 3naamhere 3stuff
2erchen 2ggins1 5o10 3heera 3pipes 2ilbond 4ey01 610 71 72 699 2jingan 3skorv 2kayaro 3erman 4sale 2labama 4laika 4nce1
3deagl 8e 4head 4rick 4win1 3efire 4rina 3la007 4er23 4game 4in23 4oon1 7s 4park 4room 4s123 5ack 5deep 5out 3moral
3tazar 4imor 8e 2naan123 4na12 669 6man 6na 6s1 3croft 3deras 6os 4icoot 5t01 611 72 3galor 8e 4bang 5ros 4cock 4kok1
4ladesh 3joman 3krupt 4shot 3shee1 2phomet 3tiste 2rabash 5bas 4cuda 4kuda 4nova 3bados 5ra1 6ia 8n 7s 6os 8sa 4ecue
4wire 3celon 8a 4hett 4lays 3eback 4feet 5oot 3itone 3kley1 3malei 7y 3nabas 5cle 4ey01 611 72 4hart 4sley 4yard 3oness
3rabas 5cud 8a 5kuda 4ett1 4iste 4ynov 3selona 3tende 8r 4lett 4man1 2seba11 6l1 7l 81 90 91 92 82 91 83 87 89 4line
4ment 3ilisk 3ketba 8l 9l a1 3s1234 4bass 5oat 4fish 4head 4ingw 4line 4man1 6st 8er 4play 3tard1 7o 7s 4ille 4ogne
2thgate 4room 3istuta 3man00 71 611 72 83 73 621 72 73 669 699 3terie 8s 6se 6y1 4lefield 6star 2utista 2varian 2yadera
3liner 3shore 3watch 2zongaz 1b123456 2bbbb99 6b1 2wlover 1cfields 1dfyeirf 4jdyf 1eachboy 6um 5es1 3nhead 4o002 4town
3r2327 4bear 5oon 4cat1 7s 5law 4dog1 6wn 4shar 8e 3st123 5666 5ie1 7s 5man 3tles1 74 76 4rice 3ufort 4lieu 4mont 4ties
6fu 8l 91 3ver12 669 6sx 4is69 2ckham1 723 77 2efcake 3ldbuis 3pbeep 3r1234 4beer 5ong 4good 4nuts 3thove 8n 2gemotik
3inner 2hemoth 3older 2lgarat 6io 4orod 3iever 4nda1 3la123 5boo 5dog 7n 8na 5gio 5ire 4dandy 4evue 4sout 4ybut 3mondo
3ochka 4ved1 3zagor 2ndover 3edict 6kt 4fits 4ssere 4tton 3gals1 3hogan 3idorm 3jamin 81 3laden 3nett1 5vis 4o007 4yboy
3tley1 2rbatov 3enice 4zuckiy 3gen09 5rac 6on 4kamp 3keley 4shir 3l1952 4in1945 6er 6go 3muda1 3nadet 8te 5rd1 7i 7o
4hard 4ie51 3serke 8r 3trand 4uzzi 2siktas 3tfriend 3zoptad 2thany1 4esda 3rayal 6ed 3tina1 5s36 4y123 5boo 8p 5lou
2verage 5ley 6y1 2yblade 1g6njokf 1hbyjxrf 2rh0h2oof6xbqjeh 1iarritz 2blioteka 2edronka 2gasses 3balla 7er 7s 4ear1 5rth
4ird1 4lack 5ock 5ue1 4oner 5obs 6ty 5y11 72 640 4roth 8er 4ubba 5cks 5tts 3chief 4ock1 7s 3daddy 81 5wg1 4ick1 7s 4og69
3fella 4ish1 4oot1 3gdogg 4irls 4reen 3house 3john1 4uggs 3kahun 3loser 3mac12 5xxx 4oney 5ose 5uth 3nasty 3pappa 4enis
4impi 8n 7n 4oppa 4ussy 3sexxy 6y1 4mall 5urf 4tick 5uff 3time1 7r 5ts1 6ts 7y 4ruck 4ymer 3waves 4illi 7y 2kerboy
2lbobag 3l1234 42455 4abon 8g 4bill 4gate 8s 4iard 5ngs 5ons 4y123 5bob 7y 5goa 5joe 5ray 2ngbong 4o123 3laden 2ohazar
8d 3logia 3nicle 3shock 2rdbath 4cage 4house 4land 4man1 4song 3mingh 8am 3thday 81 90 a0 933 82 91 96 97 98 999 83 96
84 85 94 86 2scayne 4uit1 7s 3exual 3marck 4ilah 6la 8h 2tch123 5ass 5boy 5edu 8p 6s1 3eme12 669 1j200ex1 1lablabl
3ck123 5666 5add 8er 6nd 6ss 5bea 7l 8t 7r 8ry 6ir 8d 6oo 7x 7y 6ur 8n 5cat 6oc 8k 5dic 8k 6og 6ra 8gon 5eye 5fin 6ly
5gir 5hat 7w 8k 9s 6ea 8rt 6ol 8e 7rse 5ice 6e1 5jac 8k 5lab 8el 5mag 7n 6en 7tal 6or 5one 6ps 6ut 5poo 8l 6us 5ros 8e
5sab 6ex 6he 8ep 6onblon 6ta 8r 6un 5tie 6op 5well 6hite 6id 6ol 7o 3de123 5man 5run 8ner 3h1234 4blah 3nkman 3ster1 72
7s 5off 3ze420 2eacher 3eding 3nheim 3ssed1 5ing 8s 5you 2indman 4gbli 8ng 4k182 3tzkri 8eg 3zzard 81 2ockbus 3embol
3ndie1 72 6nka 3od123 5666 5hou 5lus 8t 5red 4mberg 5ers 5ing 4pers 3ssoms 3wfish 4hard 4job1 76 89 7s 4me69
2tynbabrfwbz 2ue1234 42000 4army 4ball 8s 5ear 6ll 6rr 8y 5ird 5lue 5oys 4devi 8l 9s 5og1 5ragon 5uck 4eyes 4fire 6sh
4gill 5ras 8s 6een 4jay1 7s 5ean 4light 6ne 4moon 4nose 6te 4print 4room 6se 4skie 8s 6y1 5man 5tar 4tick 5ooth 4wate
6ve 3mpkin 3nt420 5man 1mfc2353 2vm3e46gtr 2w318is 425is 430ci 3750il 3power 2x4life 1oarding 3ting1 2b12345 3afett
3bobbo 4y123 5bob 7y 5joe 5orr 3cat12 3dylan 3jones 3marle 8y 3o1234 4link 3smith 2cephus 2densee 3iroga 3ybuil 4hamm
4shop 2eing74 87 77 2gdan123 6ova 2hemian 2ilerma 3ng747 2jangle 2llock1 7s 3ogna1 2mbadil 5rde 4erman 4shel 2nanza1
4part 3d0007 49007 4age1 5renko 4ra12 3efish 4head 4thug 8s 4yard 3ghits 4toke 4water 3jour1 3kers1 3oedge 3scott
2obear1 4ies1 72 4less 4oo11 72 669 3galoo 4ers1 4iema 4nish 4yman 3kcase 4mark 4worm 3mboom 4er12 622 6ang 4town 3ndock
4edog 3ster1 3tcamp 4mort 4neck 4s123 5man 4ycal 8l 5man 2rabora 3deaux 5llo 3ealis 4dboi4u 3is123 5enko 5ova 3n2run
4free 4torun 3odina 3racho 3ussia 2sco123 5e01 3shogg 4lady 4tone 3ton11 72 699 3worth 2t_schokk 3afogo 3swana 2uboule
6ne 3chard 3levar 3ndary 3tique 2whunte 8r 3ling1 73 2xerdog 3ster1 7s 2y1cool23 34u2ownnyc 3friend 3scout 3wonde
1pgjldsgjldthnf 1r00klyn 21ttany 2acelet 3dbury 4dock 4ford 4ley1 4pitt 4shaw 3indea 5iac 3mpton 3nden1 5new 5on0 80 71
72 73 75 76 77 78 7n 5y12 4ford 4ston 3silia 3tpack 3vehea 8rt 5s10 695 4o123 3zilia 4zers 2eadfan 5man 4kdance 5er1 7s
5fas 8t 5ing 5out 3hznev 3itlin 3nda69 6n1 4nan1 4tfor 8d 5woo 8d 3tagne 4hart 4t123 3wcrew 4ster 2i5kev6 3an123 5na1
3dget1 7t 8e 3ghton 4itte 3llian 8t 5o021 3mston 3ngiton 4kley 3sbane 4tol1 7c 3tania 6ni 4ches 4ney1 7s 4tani 7y 81
5ney 2oadban 8d 5way 3ccoli 3ncos1 72 77 3odwar 4king 5lin 6yn 81 5sie 3ther1 72 7s 3wn123 5cow 5dog 5eye 8s 5ie1 7s 6ng
5lov 5s99 4seui 2uce123 5lee 5wayne 4kner 3ins77 4ser1 3nette 4o123 5dog 4swic 3ssels 3xelle 2yan123 1sheep75 1ubba111
623 5bub 5dog 5man 4lebox 6gu 8m 6s1 72 2ccanee 3hanan 3karoo 4eye1 7s 4fast 4shot 5kin 5ter 4whea 8t 5ild 2dapest
3dy111 623 5boy 5cat 5dog 5lee 3light 81 3weise 8r 4iser 2ffalo1 77 7e 7s 4ett1 4y123 6ma 2ggerme 3menot 3sbunn 8y 4sgub
2hjvfybz 2ilders 5ing 2jhm123 5bujhm 4tdbx 3inkan 2kowski 2ldozer 3gakov 5ria 3ldawg 5og1 72 73 75 76 77 78 7g 7s 81 6ze
8r 4etin 4frog 4head 4nuts 82003 4ride 4s123 5eye 5hit 81 4wink 8le 4yboy 2mblebe 8e 3erang 2ngalow 4hole 3nies1 4y123
5man 2ratino 3berry 3gerki 4undy 3lpony 4tree 3nside 3rfoot 4ito1 7s 3ton12 3unduk 2sdrive 3hmast 8er 4wack 5ick 3iness
8babe 3tanut 4er01 611 72 83 621 72 669 688 699 2terfly 3tbutt 4er11 6ba 7e 8an 6cu 8p 6fl 8y 91 4face 5uck 4hea1 7d
5ole 4love 4munc 8h 4nutt 4ocks 5ns1 4plug 2zzard1 4kill 4word 1vgthfnjh 2ncnbnvvbn 1yabybnb 3jhvfnbrf 2cnbnen 2nthytn
2rjuybnj 0c0l0rad0 2rvette 132649135 2por2d2 143dae874d 3qpul5rz 17e4f8ezqh 1ab4ma99 3aller 8o 3bages 3ernet 3ibble
4nboy 5ets 3ledog 5guy 5man 3owabo 2capipi 3hondo 5rro 2dillac 3r14nu 2esar12 2ffeine 4reys 2gliari 2hek0980 2itlin1
2kewalk 2labria 4mari 5ity 4vera 3bears 3culator 6us 5tta 3deron 4well 3eb123 4doni 4ndar 6er 3gary1 3iburn 4ente 4forn
8i 9a a1 4gula 4mero 3lahan 5way 4iope 5sta 7o 4ofduty 5way 3vin12 669 3ypso1 2maleon 6un 4ro67 79 6ss 6z2 88 3biami
4odia 4ridg 8e 3el123 5eon 5ot1 5toe 4ron0 71 72 76 77 79 3illa1 6e1 3neely 3p0017 4bell 4us100 3shaft 2nada12 699 5ian
6en 8s 4rias 6es 3berra 3cer69 3dance 4lebo 4y123 5ass 5bar 5can 8e 5eater 5finger 5man 3esfan 3field 3nabis 4elle 4ibal
6us 4onba 6da 8le 3oneos 3tona1 77 4rell 4stop 3ucks1 2petown 3ital1 75 7s 6no 3oeira 3ricor 8n 3slock 3tain1 72 77 7k
3ucine 2r12345 3amelo 3denas 4igan 5nal 8s 3e1839 4bear 4free 3la123 4eton 4isle 5tos 4os10 72 83 668 5tta 4sbad 6er 8g
4ton1 3melit 6la 5n00 4ine1 3naval 4egie 4ival 6or 3olann 5cox 5in1 7a 81 7e 81 5yn1 7n 4usel 3pedie 8m 5nte 8r 3rera1
74 7s 4iage 5llo 3tagen 4er12 75 680 4hage 4man1 72 4oon1 7s 3valho 3wash1 2sablan 8ca 4ndra 5ova 3cades 3ey123 5boy
5dog 3hflow 4mere 5one 8y 3illas 3per12 83 73 699 3sandr 8a 4idy1 5e12 5ope 3taway 4ello 4illa 7o 5ngs 2talina 5yst
4pult 4ract 5ina 3daddy 3erham 5ina 7g 5pil 8lar 3fight 5sh1 3herin 8e 4leen 4olic 5use 4rine 3inhat 3lover 3mando
3olica 3riona 3sdogs 4kill 4meow 3ullus 3woman 2ution1 2valier 8s 3eman1 3scout 1barkley 2ljhjdf 5tyrj 2r600f2 73 74 6rr
3900rr 429rr 2ufhtnf 1cccccc1 2haiyas 1de34rfv 3xswzaq 2tnjxrf 4kfyf 7rf 5zxjr 2znjckfd 1ecilia1 2gthgegth 6fhjkm
2isi123 2lebrat 6it 8y 4ste1 6ia 7n 3icagt 3lphon 8e 4ular 3tic1888 667 688 6fc 6s1 2ntauri 4ral1 5ino 4urion 2pseoun
2ramics 3berus 3tclas 4ified 3ulean 3vantes 2ssna15 77 82 2zer121 1fiekmrf 3tymrf 2kfvfylhf 2vlehfr 1ghfdjxybr 2twbfkbcn
2zfrhuf 1h1tt1ck 23ch2oh 2aching 3dwick 3insaw 4rman 3lleng 8e 9r 4mers 3mberl 7s 4eleo 8n 4onix 5rro 4p123 5agn 8e 5ion
81 8s 3ndler 4elle 4ge12 6it 6me 81 6pa 5ing 4nel1 7s 5ing 4tal1 5ell 8e 3os666 3parra 4lain 4stic 3racte 8r 4coal 4ger1
7s 81 4isma 6sa 7e 5zard 4lene 6s0 71 72 73 74 77 79 7s 7t 8on 5ie0 71 811 823 72 73 74 75 76 77 78 79 7b 7d 7m 7s 6ze
5ott 8e 91 5ton 4main 8e 5ed1 5ing 4ter1 3se123 4tity 3tting 3uncey 2eaters 5ing 3burashka 6ek 3ckers 5ing 6to 5mat 8e
5out 3erios 5lea 8der 8ers 4se12 6burger 6ca 8ke 4tah1 7s 3lsea0 71 72 73 74 75 76 77 78 7f 8c 3mical 5str 8y 3rokee 81
4ries 5y12 6pi 3shire 4sman 7s 8ter 4ter1 823 72 73 77 78 79 7field 7s 5nut 3valier 4elle 5tte 4role 8t 4y350 5454 5man
5s10 5tru 5z71 3wbaca 7c 8a 3yanne 4enne 81 2gobndg 2ibears 3cago0 71 72 83 73 75 77 79 4co22 4ken0 71 823 72 74 76 7s
7wing101 5let 4o123 3ef123 5tai 4msee 3huahu 8a 3lango 4dren 82 4idog 4ling 5out 3maera 5ira 4era1 3nacat 5dol 8l 5man
5ski 5tow 8n 4chil 8la 7n 4ese1 4gada 3pchop 4monk 5unk 4otle 4per1 7s 6wa 4ster 3quita 7o 3sholm 3tarra 3valry 2loe123
5dog 4rine 2oclate 4olat 8e 91 3irboy 3ochoo 3pper1 7s 4suey 3uchou 4ette 3wchow 4mein 2ris100 623 698 5200 5999 5bln
6rown 5rey 5sie 6y1 5ta1 7l 6el 7n 7r 6i1 7a 8an 8n 91 7e 7n 8a 8e 6ma 8s 6o1 7f 7p 8h 9e ar b1 7s 6y1 3onic1 3ysler
5tal 2uck123 5ie1 5les 3luthu 3pakabra 3rchil 8l 1iaociao 2ccione 2dkid86 2garett 8e 2ncinna 8ti 3derel 8la 4ylou 3gular
3namon 2sco123 5kid 2tabria 4tion 3banna 3ibank 2vilian 6zation 5war 1jdthitycndj 2hjrbyf 2kysirj 4txyfz 2rjkjdf 2xb2014
1k6znp42 2jytyjr 1laddagh 3mbake 3pton1 3rence 4inet 5ssa 7e 4kken 8t 5son 3ssact 5ic1 7s 3udia1 6ne 6us 3ybird 4more
4pool 4ton1 2eaners 5ing 4rwat 4vage 3mence 6te 7i 7s 4son1 3opatr 8a 3rmont 3velan 8d 2ifford 3mber1 5ing 3nton1 3pper1
7s 3tlick 4oris 4ring 2ockwor 3se-up 3thing 3wnboy 2ubbing 4capt 4penguin 3eless 3sters 1migtvo7 2u9ggzh 1nfc35762209
3nbcnbrf 3ybckfd 2hfyybr 3jbntkm 3trjpf 2jvfnjkju 2tgfirf 5yjd 8f 3hdjxrf 1oachman 3sters 2bblers 3ra123 5427 5777 5jet
2cacola 81 3habamb 4rane 3kgobbler 4lover 4ring 4suck 8er 4tail 3o1234 4loco 4nuts 4puff 4rico 2deblue 4name 4red1
2ffee11 72 2keisit 2ldbeer 4fire 4play 3egiata 4man1 4slaw 3in123 3lants 4ect1 7i 8on 7o 5en1 5ge1 72 5tte 4ingw 6s1
3ole57 4mbia 4nial 4rado 5ing 4ssus 3t1911 4rane 3umbia 6us 2manche 5der 4tose 3bat123654 3cast1 3eback 3fort1 3icbook
9db 9s 5sans 3mand1 72 7e 8r 7o 8s 4ents 5rce 7ial 4odor 8e 4unic 7t 8y 3paq12 83 5ss1 5tible 4iling 4lete 8d 4onent
5ser 5und 4ress 4utador aa 6e1 7r 81 92 8s 3rades 2ncepts 5rto 4hita 4orde 7i 4rete 3ditio 8n 4ucto 3ehead 3fetti 4iden
8ce 5guratio 4lict 4used 3gress 3nect1 7e 7i 8on 7o 5lly 4olly 5r11 72 3quest 3sense 4tanc 8e 7t 8a 8in ae 5ruc 8tion
4uelo 5lt1 7a 5mer 3tacts 5ine 7s 4essa 6ts 4inue 4ortionist 4ract 6sena 7t 5era 5ol1 72 7l 8er 7s 3verge 6se 2okbook
4ie11 72 83 73 659 6s1 5ng1 3l1234 4bean 8s 5ree 4cool 4dude 4fool 4girl 5uy1 4hand 4idge 4man1 4ness 4whip 3per11 72
3rslig 8ht 7t 2peland 4nhag 8en 4rnic 3perco 6fi 3yright 2rcoran 3delia 4less 3e2duo 3leone 3nball 5rea 8d 4elia 7s 7u
8s 6l1 4flak 4hole 7i 8o 5usk 4wall 3onado 3perfmonsy 4oral 7t 8ion 4sman 3rado1 5tec 4igan 3sair1 3tland 3vet07 6t1 7e
81 2smetic 4o123 5dog 5politan 3tanza 5ric 8a 4ello 3worth 2ttage1 7s 2ugar11 6s1 3nchac 4tach 5er1 7s 8trike 6ss 5ing
5ry1 7b 5yli 3rtney 81 3steau 2venant 5try 4rall 3ingto 2wabung 3boy12 622 6s0 71 72 73 6up 3srule 1ptnz062 1qub6553
1rabcake 4tree 3cker1 7s 5hea 8d 5pot 5sevi 3ig123 3nberr 8y 4ston 3wfish 5ord 3yfish 3zy123 5bab 6oy 5cat 5frog 5hor
8se 5man 5zil 2eampie 5you 4tine 6on 6v1 7e 81 5ure 3ditca 3epers 3nshaw 3osote 3pusculo 3scent 4sida 3vette 2ibbage
3chton 4ket1 7s 7t 3minal 4son1 3ppler 3stian 8o 6na 5obal 6pher 3tical 4ter1 7s 2jhgbjy 4jcnm 2ockett 4odil 8e 3mwell
3naldo 3sby87 4sbow 5fir 8e 5ing 5man 5roa 3ucher 3wnvic 2uiser1 5ing 3sader 3zazul 4eiro 2ystal0 71 72 77 7s 1sfbr5yy
2yekmrf 1tdfcnjgjkm 3thysq 2hulhu1 4ttdbx 7f 7yf 2rhtnyj 2vtyjdf 1ubalibr 8e 3bies1 3swin1 2cciolo 3umber 2ddles1
2linary 2mberla 3eater 3lover 3mings 3salot 4hot1 7s 4tain 4ucker 2nningh 3tfinger 4hole 4lick 4soup 2pcake1 7s 2rious1
4tiba 3rahee 3tains 2stomer 2tegirl 3hbert 3iepie 3lass1 2yahoga 1vbhyjdf 2tifhbrb 2zefh1gk 9c 1xfcnkbdfz 5mttcnm
2zdsaewq 1yberman 5net 5online 5sex 2clone1 7s 5ps1 2ecvevhbr 2gnusx1 2jdsvujljv 2nthia1 2press1 2tuehjxrf 4jdbr
1zekolada 0d1234567 2i2m3a4 2lakiss 136rkqdff 178unhxq 1abl1125 2d2ownu 3dy123 5mac 5sgirl 2edalus 2ffodil 4yduc 8k
3tpunk 2gestan 3obert 2isy123 53112 5dog 5mae 7y 2kota01 611 72 699 2lejr88 3glish 3las01 611 72 621 72 633 688 6tx
3matio 2mage11 4scus 3ilola 3ned69 4good 3ocles 2nce123 3delio 8n 3echka 3gerou 8s 3iel00 71 610 71 72 83 79 620 71 76
669 6a1 6it 6la 7e 81 4jela 4l8098 5ova 3knugs 3niash 4y001 5123 5boy 5m88 3te123 4hema 8n 3ville 3ziger 2pzu455 2redevi
8l 3kange 8l 4fire 4hors 4jedi 4knig 8ht 4lord 4mage 6nx 5oon 4ness 81 5igh 8t 6te 4room 4seed 5ide 5oul 5tar 4wing 5olf
3ling1 3thmau 8l 5vad 8er 4mout 8h 2sha123 52010 5dasha 4enka 2tabase 4life 5ore 3nigga 2ughter 3ntivi 2ve1234 4cole
4dave 4yboy 3id123 5777 5kin 5lee 5off 5ruiz 5son 4nchi 2ybreak 3dream 3light 3tona1 3walke 8r 1bjktnnf 2m123dm 2nfkbyf
2recmrf 3njhbz 6jdbx 8yf 2yjuhfl 1cowboys 2tdjkjl 3ktyyfz 3vcjcfnm 4gbplf 5hbdf 8tn 2united 1dddddd1 1e1987ma 2adbeat
4fish 5red 4head 4lift 6ne 5ock 4man1 6u5 5eat 5oin 4pool 4sexy 5oul 5pin 4wood 4zone 3ngelo 3rborn 3th123 5666 5blo
5note 5row 5sta 8r 2bbie69 3orah1 3tfree 3ugger 2cember 81 82 6re 3ipher 4sion 2epblue 4dive 4purple 4thro 8at 4wate
3rhunt 8er 4park 3znuts 7z 2fault1 3ender 3iance 6t1 3lep27 3tones 2lacruz 4soul 4ware 3erium 3iciou 8s 4ghts 4rium
4very 3ldell 3orean 3phine 4iero 3ta123 5chi 5force 5one 5sig 5tau 2mchenko 3ented 6ia 4tria 7o 7u 3ocrat 4lition 4n123
5666 2n040791 312345 3is123 6983 84 87 88 89 52011 5e01 5ka1 3man85 3nis12 3tista 2partment 3eche1 7mode 2relict 3parol
3rick1 7h 2scription 3demon 3ember 3igner 3kjet1 3perad 8o 9s 3tinee 6y1 72 77 4roye 8r 5uct 8ion 2tectiv 8e 3hklok
3roit1 2utsche 7l 8and 2vastator 3elope 8r 3il123 5666 5boy 5dog 6river 5ish 5man 7y 8cry b4 3o2706 4chka 4tion 2xter12
2zember 1fcbkbcf 5mtd 8f 2hrhfan 2kmltvfh 4rbhbz 3tynby 8f 8rf 2nheirf 2yjdf846 1gl70460 1hjnvytyjub 1iabetes 4lo11 723
623 666 86 79 4olic 7k 3gonal 3mante 4ond0 71 72 73 74 76 77 78 79 7b 7d 7s 3na123 52002 4ochka 3pason 2ciembr 3kdick
4ens1 4face 4head 4less 5ick 4ster 5uck 4weed 3tator 4iona 8ry 2ebitch 3go123 3hard1 3nstag 3sirae 3tcoke 4peps 4rich
2fferen 8ce 2gital1 72 7produ 4view 3nity7 2lbert1 3ligaf 7s 5nge 4weed 2ma1234 85 5983 75 79 690 71 72 73 74 75 76 77
78 79 42000 79 610 71 43452 4bilan 4dima 4nche 4zarya 3edrol 4nsio 8n 3idrol 4tris 3ochka 4n4ik 2namite 3gdong 3mamma
3ochka 4saur 3sdale 2ogenes 3nysus 3sesamo 2pascuc 3lomat 3stick 2rector 8y 4ktor 4wolf 3kpitt 3tball 5ike 4ybir 6oy
5cunt 5dog 5girl 5man 2sabled 4ster 3cgolf 4iple 4ordi 5unt 5ver 8y 4reet 3hwash 3kette 3neyland 3order 3patch 3tance
4rict 4urbe 8d 2vedeep 4rdow 5sio 3inity 4sion 3orced 2xiedog 2ya2003 1jg4bb4b 3abbab 2krjlfd 3ujuhfl 2ljghjdjl 2tiesto
1kfcntkby 3lbckfd 5djcnjr 5vbh 8jdbx ayf 2jfghdk 1m6tzsgp 2fxhkju 2iller12as 3triev 1oberman 2c_0815 3henka 3torwh
3ument 2dgeram 6s1 5viper 3obird 2gballs 4ert1 4ones 4reat 8h 3fight 3gy123 5dog 5sty 8le 3house 3lover 3matic 7x 4eat1
3phil3650 4ound 3style 2hcvtec 2lemit1 7e 3ittle 3larbi 4face 3omite 3phin1 72 75 76 79 7s 81 2ma77ns 4inlock2005 3enico
4stic 3inant 6te 7i 8on 7or 5gue 5ic1 7a 7k 6k1 7a 6on 6qu 8e 5oes 3odedovo 2naldduck 4tella 8o 3keykong 3na123 4elly
3t4get 4care 4doit 4forg 4gotm 4hate 4know 4tell 2odlebu 3msday 3rbell 4knob 2pamine 3ehead 2raemon 3omich 4thea 7e 6y1
3tmund 2thedew 2uchebag 3ghboy 5nut 4las1 7s 2vetail 2wjones 3nfall 4hill 4load 4time 5own 4unde 1raconis 4ula1 3fting
3gon00 71 75 76 610 71 72 83 73 77 78 79 620 71 72 73 75 633 75 644 664 76 86 79 676 77 688 698 79 6age 6ba 8ll az 6fi
8re 7l 8y 7orce 6la 6ma 8n 6s1 7s 5on1 4race 4star 6er 2eadful 4mcas 8t 5er1 72 7s 5girl 5ing 5online 5team 3ssage
2ifting 3lling 3nking 3pping 3scoll 2jynfrnt 2o8smwq 3pdead 4kick 4zone 3wning 4ssap 2pepper 2strang 2ugfree 3hay17
3mandbass 4line 4mer1 7s 5ing 5ond 4nbass 3silla 1s7zamnw 2obwick 1tcyeirf 2heyxbr 3jybrf 6xrf 3yjcnm 2kjcbgtl 2xyjcnm
2ybfvby 3nbkznjh 1ucati74 699 3hess1 3kbutt 4duck 4head 5unt 4ling 4pond 4soup 3ttape 2de1234 5998 4dude 4love 2ffbeer
4ydog 2isburg 2keblue 4duke 4nuke 8m 4ster 2lcinea 2mbass1 4fuck 4shit 3pling 4ster 2ncan21 3e2000 3nowho89 3woody
2plicate 3ont24 2racell 4ndal 6uran 5go1 2stin23 4y123 697 5dog 2tchess 5man 1ylan123 5dog 2namics 6te 4star 3omite
1zxtckfd 0e214fre21 2fq7fzj 16pz84qfcj 1ae21157 2gle123 5eye 5man 5one 5s05 611 72 620 72 2rlgrey 3nhard 8t 7t 3thlin 8k
2stern1 4side 4west 5ood 3y1234 4pass 4ride 2tadick 3menow 5raw 4yass 3pussy 3shit1 1benezer 1clectic 3ipse1 72 79
2onomia 7c 8s 7st 1dcwsxqaz 2die123 5666 5boy 2elweis 2gewise 5ood 2inburg 8h 4orog 2monton 2uardo1 3catio 8n 2ward11 72
6cullen 6s1 7s 1eeeeee1 1fbcapa201 1ggplant 2hfdktybt 2yptian 1ight888 5bal 8l 5een 2nstein 5ien 3trach 5itt 1jaculation
1katerina 920 2ilpool 2lhigcz 1l345612 2546218 2aine22 3tes_y 2bereth 2camino 2diablo 3orado 3ridge 5tch 2eanor1 3ction
5ra1 6ic 6o1 7n 8ic as 3fante 3gance 3ktrik 3ment1 72 7a 8l 7s 3na123 6971 85 52010 4berg 3onora 3phant 81 3vatio 8n 6or
4en11 2fquest 3riede 3stone 2isabet 8h 3zabet 8h 91 5veta 2lehcim 3iott1 3swort 2mer251 3hurst 2salvador 3inore 2vira26
4s123 1machine 8s 3nuela 7e 2balmer 2erald1 4genc 8y 4son1 2iliano 4y123 5ann 3nem11 72 3rates 2majane 4nuel 4rose
3itt22 2otions 2pire11 3loyee 3orium 2yeuanh 1namorad 2chante 3ounter 2deavor 3ymion 2ergize 8r 5y12 2forcer 2gineer
8ing 3land1 4ish1 2hanced 2lighte 2olagay 3rmous 2rique1 3on714 2semble 2ter123 5ing 5now 5pri 8se 5tai 8nment 3rance
2velope 3ision 1paulson 2ervier 2idemia 3phany 5one 3sode1 2silon1 1rection 3iamjh 2ic1132 5234 4eric 4kson 4sson 3ksson
2kebulan 2otica1 2uption 1scaflowne 4lade 3orpio 8n 2merald 8a 2oteric 2peranz 8a 3inosa 6za 4ritu 3osito 3resso 2sayons
3endon 5tial 2tefani 8a 3oppel 3rella 7it 1ternal1 5ity 2han123 3ereal 5net 3iopia 1uclid90 2phoria 2ro2000 4card 4line
4pean 2s1sue1 1valuate 3nescence 4geli 8on 4ston 2enflow 4star 4tlog 3rclea 4est1 4gree 8n 4last 5ong 4more 4ques 8t
4ton1 7f 4yday 5one 5thi 8ng 2geniya 2idence 3ldead 4live 2olutio 8n 1xaminer 2calibe 8r 7u 8r 3ellen 8ce 8t 5sio 3hange
3iting 3lusiv 8e 2ecutiv 8e 6or 3rcise 2orcist 2pediti 4rience ad 3licit 4oite 8r 5re1 7r 81 5siv 3osure 3ress1 72 7o
2ternal 3ra300 630 4eme1 1ybdthcbntn 2eballs 3candy 3sonly 1zequiel 0f00tball 114tomcat 25eagle 2f2f3f4 122raptor
18yruxoj 1abienne 3olous 3regas 4izio 3ulous 2ce2face 4book 4fuck 4lift 2fyfcbq 6mtd 2hjlbnf 2ilsafe 3rbank 4chil 4fiel
4lady 6ne 5ess 4mont 4view 4ytail 3th123 5ful 5less 2kepass 2lcon01 611 72 76 621 669 6er 6s1 3kland 3lenangel 6gun
4out1 72 73 7boy 3staff 2mily01 6guy 2ndango 3ta123 5sia 7e 8s 6ma 6ti 8c 6y1 77 78 4omas 6en 2rfalla 3mhous 4land 4vill
3ragut 3scape 4ide1 3tface 4ripper 2stback 6ll 4cars 4draw 4food 4lane 2tal1ty 5ity 3bitch 3daddy 3girls 3head1
3ima753357 3luvr69 3pussy 2ulkner 3stino 2vorite 82 83 84 85 86 87 88 1bi11213 1cbarcelona 4yern 2c5nky2 2nfkfdbcnf
1dfyufhl 2njhbpfwbz 1earless 3ther1 7s 2bruary 2derica 7o 3orova 2edback 3lgood 3tfeet 2folico 2ldspar 3icia1 6da 8d 9e
6ta 7y 4x123 5cat 5xxx 3latio 4owes 2nder12 3erbahc 9e 3gshui 3omeno 2rdinan 8d 3guson 3ien12 3nanda 7e 8s 8z 7o 81
4dale 4wood 3rari1 72 73 74 75 7f 7s 4eira 2stival 2tish01 669 2uerweh 8r 2yenoor 8d 1ffffff1 2vdj474 1gdfgdfg 2jkbyfhbz
3rfkbgcbc 2tkmcby 1hbyjxrf 2nehxbr 3tv1998 2utynbyf 2vfutljy 1ibonacci 2ckdich 4tjuv 3tion6 77 79 2delity 3odido 2elding
3tsbel 2fa2000 78 610 71 2ghtclu 8b 5er1 7s 5ing 854 2latova 3ibert 4pino 5pov 3lmore 3mstar 3omena 2nalfan 8tasy 4nce1
6ia 8l 3daupair007 3ished 3negan 4land 2orentina 2re1234 4ball 5ird 5lad 8e 4dawg 5ept 4figh 8ter 6re 5ly1 4hawk 5ose
6us 4man1 4plug 4star 8ter 6on 7r 8m 4truc 8k 4walk 7l 6te 5ire 5ood 6rk 8s 3staid 5one 8123 5son 5tim 2sh1234 4bait
5one 6wl 4cake 4erma 8n 4face 5inger 6sh 5ood 4head 5ook 4ing1 74 4lips 4pond 4tank 3tfuck 2tness1 3zgera 8ld 2veiron
4kids 4star 2xitman 1jnq8915 2ysk762 1k8bhydb 2byf001 5123 4jxrf 2g7h4f3v6 2mnthyfnbdf 2ojn6gb 2rjujkbr 2tdnbyf 3if6115
3rcfyl 8h 91 9f 9jd bbx bf byf 8th 5ttd 8f 3yeirf 4jxrf 1lagpole 4ship 3meboy 5nco 6go 4ingo 3nders 4ker7 4nery 3pjack
3sh123 5bac 5man 5net 3tboat 5ush 4head 4land 5ine 4ron1 3wless 2eetwoo 8d 3mming 3shbot 3tcher 3xible 4scan 2htyfkby
2imflam 3nders 4tsto 8ne 3pflop 4mode 4per1 7s 4side 2ooring 3rence 7i 8a 4ian1 5da1 72 3under 3wer12 6s1 72 2ushing
2vbybcnhfnjh 2yers88 699 3fishi 3vholm 3wheel 1m12mn12 1nkfynblf 1oiegras 2llowme 2ntaine 2ofight 3lish1 3sball 3tbal1
7l 81 90 92 a3 82 85 86 87 8s 4fuck 4hill 4long 6os 6ve 4slav 2rbidde 8n 3d9402 4f150 5250 5350 5ocu 8s 4gt40 4truc 8k
3ecast 4nsic 4play 4skin 5t11 699 6er 6man 6ry 4ver1 721 7young 3getit 6me 8not 4iven 4otit 6te 8n 3klift 3matters 4ula1
3rest1 3saken 4berg 4ythe 3tknox 4ress 4unat 6e1 82 4yone 5two 3ward1 3zaroma 2tograf 2ucault 3lball 3ndati 8on 4tain
3rkids 4nier 4play 4star 4teen 5rax 2x12345 3glove 3hound 3mulder 3trot1 3woods 3ylady 4roxy 1ractals 3gment 3ncais 5e98
6s1 7c 8a 8o 5his 5ine 6s1 72 7c 8a 8o 5ois 4k123 5fur 8t 5ie1 5lin 6yn 5zap 8pa 2dfhbev 4kfyu 2e_ak8yj 3akboy 5dog 5out
5sho 8w 3ckles 3d1234 4derf 5ie1 5y12 4eric 8k 8o 7k 8sberg 4fred 4onia 4rick 3e4all 4bird 4cell 5lus 4dom0 71 72 73 74
75 77 78 79 7s 4fall 5ree 4hand 5old 4jack 4lanc 8er 7d 5ove 4mail 6n1 5ind 5ont 4ones 4pass 5orn 7t 4ride 4sex1 5pace
5tuff 6yl 8e 5urf 4time 4user 4way1 5ill 4zing 3iburg 4heit 3nchfr 6ie 3quenc 3shman 3yfvfnfnf 2fltvbz 2iction 3day13
4olin 3edman 5ric 4ndly 6s1 7hip 7te 9r 3tolay 2odobag 3gface 5rog 4ger1 5ies 4legs 4man1 3inlaven 3mhell 4vermine
3nt242 5era 5ier 5line 5osa 3st1996 5bit 8e 3zenfish 2uitbat 5cak 8e 1sd9shtyu 2unoles 1ubar123 2ck1234 4_inside 4edup
5r11 72 669 6sss 4face 5est 5uck 4girl 4hard 5ead 6r1 5ole 4ing1 6side 6ti 5tall 4life 5ove 4me69 6ha 8rd 6no 8w 5yass
6life 4nuts 4off1 72 7666 4shit 5lut 5tic 8k 4tard 5hat 6em 8all 7world 6is 6roat 4uall 4yeah 5ou! 70 71 82 93 72 76 89
77 78 7a 7bitch 7guys 7r 2fnfrhbcnb 2gitive 2hrfzgc 2jifilm 2lhamfc 3lback 4hous 4metal 5oon 4sail 2manchu 2nction
3forme 4unfu 3gible 3house 3kster 3nycar 5guy 5man 3stuff 3time1 7s 2relise 3nitur 2silier 3sball 2turama 3yn007 2zzball
5utt 1vcnthlfv 1y.njxrf 2fcnfcbz 91 3njkbq 6mtdbx 9yf 3rjylf 2lh.irf 4jvtlf 4tq123 695 6rf 5tdf 2nfyfyfhbde 3jy123 5byf
5jdf 2utkbyf 5jxtr 0g0dz1ll4 11234567 1abriel1 82 72 7a 7e 7l 8a 8e 2dzooks 2lactic 8a 6us 4driel 4pago 4tasa 8ra ay
3eries 3laghe 5rdo 6ies 4eries 4oway 3vesto 2mecock 8s 5ube 4master 4over 4play 4r123 4time 2ndalf0 71 72 73 77 3gbang
8ed 4sta1 7r 6er 81 8s 3jaman 4ubas 3nibal 3ymede 2rbage1 3cia12 3dener 6ia 4iner 3field 81 3gamel 4oyle 3ibald 3rett1
4ison 2soline 2tekeep 8er 4way0 71 72 73 75 76 77 79 7s 3hering 3orade 5fan 5man 5s96 2udeamus 3loise 3ntlet 3thier
2vrilov 2yathri 1b15kv99 2gbcmrf 2hfvblf 2kbuhbv 2lfhfcbyf 7s 3jhfcs 2orv526 2packer 3lf123 4tw123 747 1checkou 8t
1earhead 4sofwar 2ddylee 2emoney 2ibcnbr 3lesau 2mini12 73 669 3stone 2neral1 72 7e 7s 6tion 7or 5ic1 4sis1 72 4tics
4viev 8e 3ius123 6net 3nadiy 3ocide 4veva 3tleman 2offrey 3log323 3metry 3rge01 610 71 72 83 73 669 699 6town 5ia1 72
6e1 6na 2raldin 8e 4nium 4simov 9a 3hardt 3linde 3maine 5nia 6y1 3onimo 3rard8 4ity1 4yber 3shwin 3trude 2sperrt 2talife
3fucked 3innow 4tnow 3money 3naked 3sdown 4mart 4ome1 3tysbu 8rg 2vaudan 1fccdjhl 4gjhn 2gf1234 4rfhkj 4vfvf 2hfcjkmrf
4djpbr 4ktkjuhfv 4ljrc 4vgfvgfv 4yjbr 6qz 3jkbot 5m007 611 72 83 73 85 622 6777 6gfhjkm 6rf 6xbr 5zytn 3kfvtyn 3nbpfy
2if1991 3tymrf 2xqx686 2yfcjybr 1gggggg1 1hbdtn12 83 6br 81 8b 6dctv 6ghbdtn 7jrf 6rfrltkf 3jhbntn 3lehjr 6rb 3rjkbcn
6myj 3ywtccf 2fplybr 2hh47hj764 b9 2islain 2jatccbjyfk 7jh 3cgtrn 4nbnenrf 6vtyz 5j123 6abkz 6gbpltw 7fhjkm 7hjcnj 6nf
8r 91 6qgfhjkm 6rdfibyj af 3dthrf 3gfufylf 3nbdjcnjzybt 7ufp 4jnbg 5rjk 3rehfnehf 6jh 4jgtyrj 3uhfvbcn 7vbcn 8f 5tcc
3vtntq 2ost123 5dog 5man 5recon 6id 8er 2tdtlvtldtl 3ktcnm 3lfntkm 3pbltyn 1iampaolo 3ncarl 8o 4luca 4tess 5s56 2bralta
3sonsg 2gabyte 4ntic 6or 3emags 2lbert1 72707 7o 3games 8h 3lespi 5tte 4ian1 5gan 2mmesum 2nger01 611 72 83 669 699
3sberg 4coot 3tonic 3uwine 2ordano 3vanna 7i 2rasole 3friend 3lfrie 8nd 4s4me 4ygirl 2uliana 7o 3seppe 2veitup 2zmo123
5cat 5do1 72 7g 1jdtkbntkm 2hjctyjr 4lfcjqrb 2ikbdctyf 2kbyjxrf 3jdbyrf 3rjdybr 3ysqgbpltw 3zrjdf 2lcnfdf 2yjvfhtdf
3tltkmybr 1kfdfybt 1ladbach 4iato 8r 5olus 4ston 3sgow1 4nost 4sjaw 5man 4tron 2endale 4nwei 4wood 2ock9mm 3rious 3wworm
1mcjimmy 3truck 1n56gn56 2asher23 1o4broke 3itnow 2athead 2bigred 3rowns 4uins 3ucks1 4ffs2 2dbless 3dess1 3fathe 8r
4lesh 3isgoo 8d 6reat 5lov 8e 3loves 3ofwar 3sgift 4love 4mack 4peed 4will 3zilla 6s4s7 2eagles 2faster 3orit1 3su338
2gators 3etter 3iants 2habsgo 3ogsgo 2irish1 2lakers 3dberg 4enbo 8y 6ey 8e 4fing 8er 6sh 4mine 4orak 4rush 4sink 5tar
6ei 4tree 4wing 3eafsg 3f1234 4ball 4cart 5lub 4er01 611 72 620 73 669 4golf 4ing1 3gotha 3iath1 2ndolin 3efish 3iners
3zales 7z 4o123 2ober12 3d12345 7654 44now 5you 4beer 5oss 6y1 5ye1 4fell 8a 9s 5ood 4game 5irl 5uys 4head 4ison 4life
5ord 6ve 5uck 4morning 4ness 6ws 5igh 8t 4pussy 4rich 4stuf 8f 4time 8s 5ogo 4will 5ood 4year 3fball 4y123 3gle10 72 83
3liner 3ner01 3seman 2packgo 3inath 2rbunov 8a 3dienko 4olee85 5n24 3edsox 3geous 3illa1 79 7s 7z 2ssamer 4elin 3tosao
2tigers 3ohell 3ribe1 3tlieb 3yoass 2vernor 1racchus 4e123 5ful 5lan 8d 3duate 3ffiti 3inger 3ndam1 5kid 8s 5ma1 7s 8ter
5orgue 5pri 8x 5son 4vill 3peape 4hics 6te 4pler 3sshop 8per 3teful 3vedig 3yson1 4wolf 2e69kik 3at123 5dan 5est 5goo
5man 5nes 5one 5sex 5whi 5zyo 3edisgood 4kboy 5god 4n123 5420 5bay 6er 6ud 5cat 5day 81 6og 5egg 6ry 6ye 8s 5gre 8en 6uy
5house 5lan 8tern 6ea 7e 5man 5pea 5tea 6re 8e 5wav 7y 6ic 6oo 8d 4ting 8s 3gorio 6y1 4ster 3mlin1 7s 3ndel1 4oble
3shnik 3tchen 4zky9 3ybear 4hawk 5oun 8d 4wolf 2idiron 4lock 3ffey1 5in1 7s 6th 3goryan 3mlock 4reap 8er 3nders 5ing
3zzley 6ie 6y1 2ossman 3ucho1 4ndho 4pd2013 1sewfmck 2gba368 2xr1000 5100 1tfullam 2hcjyfk 3tcnhjqrf 4rfnbgjkt 5htcnjr
2kmvtyb 7m 2nheirf 4jczy 5dbx 6yf 5pfdjlcr 2ogto43 2xtymrf 2ynfujy 1uadalup 8e 3rdian 3temal 8a 2derian 2enther 3rilla
4nsey 4rero 3sswho 2ildwars 4herme 4laum 8e 5erm 8o 3nness 81 3tar01 611 72 669 6hero 6ist 6ma 8n 6ra 2lfstre 3liver
2nblade 3dam00 6wing 3fight 3gadin 4rave 3ner01 6s1 4ison 3sling 8er 4mith 5oke 3ther1 2rpreet 3umayi 2stavo1 2tentag
3ierre 8z 2ybrush 1wendoli 1xlmxbewym 1y3yt2rgls 2mnast1 7ic 2psydog 1znybwf13 0h0lygr41l 1200svrm 1397pnvr 172sfibbnl
19iymxmc 1abanero 3bo123 2cienda 3karen 4edit 2gakure 3uenau 2ha1234 2ileris 3rball 4less 2kkinen 2lflife 82 4moon 4pint
4time 3lelujah 4mark 4o123 5wboy 6ee 8n 3oreach 2mbone1 4urg1 7e 8r 3ilton 3marby 4er00 71 611 72 622 669 699 6ed 6he
8ad 6s1 6time 3pster 3radio 3ster1 7s 2nd2000 4bags 6ll 5ook 4cuff 4icap 4soff 6me 4yman 3gover 4time 3kster 3nah01 611
72 622 4elor 4ibal 4over 3solo1 4wurst 2ppiest 5nes 8s 4y100 623 5200 5boy 5cat 5day 8s 6og 5face 5guy 5hap 8py 5joy
5life 5man 5ness 5one 5tim 2rakiri 3binger 3daway 4ball 5ody 4c0re 5ock 6r1 7e 81 4dick 5riv 4head 4kore 4line 4pack
4rock 4tail 5ime 5oon 4ware 8id 5ick 5ood 6rk 3lequi 5y01 73 611 72 73 620 669 688 699 6ma 3mless 4onic 6y1 3ringt 5son
81 4y123 5dog 5hoo 5pot 8ter 3singh 3tford 4land 4mann 3vest1 2ssagjs 3tings 2tebree 4love 4syou 3field 3haway 3teras
4rick 2ustool 2vefun1 2waii50 6an 6guy 3kdog79 4eye1 7s 4moon 4wind 5ood 3thorn 2yabusa 4stan 2zelnut 1d764nw5d7e1vb1 ev
1eadache 4case 4hunt 8er 4less 4room 4shot 5pin 3rtbre 5less 3t7777 4her1 72 74 76 77 79 7s 5row 4wave 3venly 4ymet 8al
2ckfyxbr 2dgehog 3imaptfcor 3j2n4q 3onism 7t 2imdall 4lich 3neken 4lein 4rich 2jmeddig 3san123 2licopt 8er 3lbent 5oun
8d 4fire 4gate 4hole 6un 4o101 623 84 5all 5hel 8lo 5kit 8ty 5man 6oto 5the 8re 5ween 6or 8ld 5you 4rais 8er 4sbel 5ing
5paw 8n 4yeah 3pdesk 4help 4less 4me96 3sinki 2micuda 4ngwa 3melig 2nderso 8n 4rick 6x1 72 3nepin 5ssy 3riett 5que 4y123
2racles 3bert0 71 3cules 3eford 4wego 3itage 3kules 3mione 3nande 8z 7o 3pderp 3schel 4hey1 2soyam1 823 2tfield 2ythere
1fcgbplzq 3nbirf 4fvfy 2gcjlbz 2pldfnhb 1hhhhhh1 1iawatha 2bernia 8n 3iscus 2deaway 2ggins1 3hball 5ury 4five 4gate
4heel 4jump 4land 8er 5ife 4spee 4tech 5ide 6me 4way1 5ind 2hje863 2jodeputa 2lfiger 3lary1 4bill 8y 4cres 4iard 4side
2malaya 2ndustan 2royuki 2spanic 3tory1 2there1 3man47 1jcnbckfd 2lbntkb 2vfirf1 4yjdf 5nbr 8f 1kger286 1obbes12 4iton
3goblin 3iecat 2ckey10 71 72 83 73 74 79 621 72 630 73 669 677 699 3uspocus 2ddling 2ffmann 2gwarts 2lahola 3brook
3einon 4shot 3iday1 7s 4ness 3land1 4iday 5ste 8r 91 4oway 4y123 5dog 5woo 8d 91 3ogram 3stein 3ycrap 4moly 4shit 4wood
2mebase 5rew 4depo 4free 4grow 4land 5ess 4made 4page 4r123 5jay 5sim 5un1 4sick 4town 4wood 6rk 7ld 3icide 2nda123 5200
80 650 5450 5car 6br 6iv 8ic 6rv 7x 5man 5s2000 5vfr 4uras 3ey123 5bea 8r 7e 6un 5dew 6og 5moon 5pie 6ot 3gfund 4kong
3olulu 2okedup 3ligan 8s 3pstar 6er 3sier1 7s 3ters1 76 2palong 3eful1 7l 4less 3kins1 2rizon1 3nball 4dog1 7g 4ets1
4y123 5boy 5dog 5guy 5man 5one 3seman 6en 5power 5shit 7o 3tense 2sehead 3pital 2t2trot 3babes 4itch 3chick 5kis 3dog12
3girls 3lanta 3pants 4ussy 3sauce 4ex69 4hot1 4purs 4tuff 3tsexx 3water 4heel 8s 2ughton 3nddog 3se123 5bed 5cat 5music
5pen 5wife 9s 4ton1 2vepark 2wareyo 8u 3itzer 2yasaxa 1pmrbm41 2salgay 1rothgar 2vatska 1shfd4n279 1tcnjhfy 2ubcnhfwbz
1ubbahub 3ertus 2ckster 2gecock 4dick 4tits 3hjass 3oboss 2lahoop 3kster 3lcity 2manity 5oid 3berto 4oldt 3mer99 6h2
3phrey 2ngwell 3nybun 3t0802 44red 4er01 611 72 83 622 669 699 4ing1 4ress 4sman 2rrican 8e 9s 2skerdu 6s1 4ies1 3tler1
2tchins 1vidovre 1xp4life 2xrvwcy 1yacinth 2depark 4rabad 3rogen 2perion 5lit 3nodanny 2steria 1zgg9umc 2ze929b
0iaapptfcor 2mawesome 3bigal 3great 3happy 4orny 3purehaha2 3socool 3thema 8n 6one 1believe 2ill123 5jpf 5tes 2ragimov
1cam4usb 3ndoit 2ecream 4ube1 3house 3man01 611 622 644 669 3queen 3water 2hiban1 4ro51 1ddqd890 5iddqd 7kfa 2entity
2inahui 2lewild 2ontcar 8e 5kno 8w 91 1foptfcor 3rgot1 7i 8t 2ufkbyf 1glesias 2natius 2or1234 5994 2romania 1hateyou 81
1iiiiii1 1jrjkflrf 1kilz083 2mvw103 1likeike 5pie 6orn 6ussy 5sex 5you 2linois 3matic 3umina 8ti 4sion 8s 2oveamy 6ss
5boobies 6ri 5cock 5dick 5fee 5girls 6od 5her 6im 5jen 7s 8us 5kim 5life 6uc 8y 5mar 6e1 72 6om 6usic 6yfamily 7life
7self 5por 8n 6us 8sy 5sam 6ex 5tit 8s 5you 8! 81 91 92 a3 943 82 92 2uvatar 4porn 4tits 2ya1234 5992 1maccess 3gination
6e1 3loser 2issyou 2jakie123 2ladris 2mortal 2palass 3erato 8r 5ial 6um 3lants 3ortan 8t 4ssib 8le 2theman 1nandout
2cident 3ognit 8o 4ming 4rrect 3redible 3ubus1 2dahous 8e 3epend 8ent 3ia123 5na1 77 7li 6er 6s1 3obokep 4nesi 8a 3urain
4stry 2eedsex 2falicall 4mous 4ntry 3ected 4rnal 6o1 3inite 7i 7y 3lames 3ormat 8ion 6er 4tech 3rared 2geborg 4nier
4rsol 3odwetrust 3ram01 2kognito 2nocent 3uendo 2sanity 3ecure 4rtion 9s 3hallah 3ignia 3omnia 3pecto 8r 4iron
3talldevic 7sqlst 7util 4inct 5tut 4ruct 3uranc 8e 2tegra1 7l 6it 4linside 5ligence 4racial 7t 5com 7urse 5est 8s 5ior
5milan 5nal 7t 8ional 6et 81 5pol 5rupt 5sta 3heass 5end 3imate 3ranet 4epid 4igue 4oubl 4uder 3ubate 2uyasha 2validp
4sion 3entor 4rnes 4stor 3ictus 4sibl 8e 1po54tj45uy856 2swich1 1qzzt580 1raffert 2eland1 73 2ina123 6989 791 3sh123
5boy 5lad 5man 2onbird 4chef 5ity 4desk 5oor 4fish 7t 4goat 4head 5ors 8e 4lung 4maid 8en 6n1 72 5ike 4pony 4road 4side
6nk 4tree 1s3yeusc 2_a_bot 2abella 81 7e 3cs155 2eedeadpeople 3ngard 2hikawa 2kandar 6er 2lamabad 4nder 8s 2tanbul
3hebes 8t 5man 1talian1 7o 6s1 2dxtyrj 2sasecret 1van1985 696 42010 4ivanov 2erson1 73 1wantsex 5you 2illwin 1zabella
0j0nathan 11234567 13qq4h7h2v 1abberwo 3roni1 2ck1234 42000 45225 4aroo 5ss1 72 7s 4dani 8els 4fros 8t 6ui 4hamm 8er
4ie01 669 6ch 4jack 4meof 4off1 4pot1 73 4russ 5yan 4son1 72 74 75 76 79 7s 5ter 3ob123 5sen 6on 3queli 8ne 2dakiss
2guarxj 2hbless 2ilbait 5ird 3matadi 2ke1234 45253 4jake 4ster 4yboy 2lal123 4peno 2maica1 7n 3boree 3es007 5123 5777
5bon 8d 9007 5dea 5james 5on1 5sss 3ie123 5lee 3mygirl 2nsport 3uary1 72 2panees 6se 2redleto 3head1 3oslav 2smine0 71
823 72 73 75 77 79 3on123 5lee 3per01 612 2vabean 2wbreak 3s1221 2ydog472 3hawk1 7s 3soncj 2zmine1 3z1234 4bass 4man1
5ine 1bond007 1eanette 4marc 4nett 5ine 4paul 2didiah 4knig 8ht 4mast 8er 2epjeep 4ster 2ff1234 4beck 4erso 8n 6y1
4hardy 4jeff 4rey1 74 4wsb1 2llybea 8n 5fis 8h 5man 2moeder 2niffer 3n1fer 4a123 4ife1 7r 81 5ngs 4y123 2opardy 2remiah
7s 3icho1 3kyboy 3maine 3onimo 3ry123 5lee 3usale 8m 2sse123 5james 4ica0 71 72 73 76 77 78 7m 7s 3ucrist 4s123 54me
5777 5chr 8is at 5freak 5god 5is1 7lord 5saves 2tbalance 4lack 1g3h4hfn 2thfnjh 3xzbhr 1hendrix 2njgtl12 2onatan 2rl0821
1igei743ks 3gaman 2llian1 2mandanne 3bo123 3davis 3my123 5boy 5jam 5pag 2tendra 3terbu 2ujitsu 2zzeater 1jjjjjj1 2ohnson
1kbvgbflf 2trcfylh 3ujdbx 1lbyjxrf 6tcndj 2edfyxbr 3ttier 1nrhjqcz 1o9k2jw2 2bsearc 8h 2ckstra 2eblack 3sakic 4mith
3yjojo 2hanna1 6es 5sen 3n1234 4atha 8n 4boy1 4cena 4deer 8e 4galt 4john 4mish 4ny12 669 699 6bo 4pass 6ul 4smith 5on1
72 74 5ton 4wayn 2ker123 5666 5777 5joker 5man 2llymon 2nathan 81 6on 3es123 3ny123 5boy 2r23dan 3dan00 71 610 71 72 83
78 620 72 73 645 698 79 3ge123 2sefina 4lito 5uis 4ph10 71 72 6in 8e 6phone7 3hua01 74 610 71 72 83 79 623 699 2urney1
2xury8f 2ystick 1rcfyjxrf 2racing 1tuac3my 1uancarlo 9s 4jose 4pabl 2ggalo1 4erna 8ut 2icebox 5man 2lemand 3ia123 5666
5na1 6na 7e 4e123 5456 5ann 5tta 7e 2mpman23 4shot 2nction 3e1503 4bug1 3gfrau 4list 3ior01 612 83 73 624 3kfood 4mail
4yard 2piter1 72 2rassic 2st4fun 5you 4doit 4forf 8un 4ice1 72 5n01 610 71 72 83 699 6biebe br 6e1 4look 4mine 4once
2ttu123 2venile 5tus 3is123 1vtuepip 1xfhjdfirf 1zf7qf2e 0k1234567 889 19dls02a 2vvos0a 1a12rm12 2banchik 3outer 2itlyn1
7n 2karoto 4shka 2lamata 6zo 8o 5bur 3ender 3ifornia 4gula 4mera 4nina 7grad 3le123 5ank 8a 4isti 2makazi 5iri 4sutr 8a
3chatka 3ehame 8ha 4lia2011 3ikadze 6ze 7i 2ngaroo 3max1994 2ppaman 5sig 2raganda 4melka 4ndash 3delen 4inal 3eltje
4n123 3imova 4shma 3lmarx 6sc 3olina 81 7e 7ka 3toshka 3upspc 2sandra 3parov 4erok 3sandra 2tarina 3ebush 4lynn 4moss
4rina 7ka 3harin 8a 4erin 8e 4leen 4mandu 4rine 5yn1 3ie123 5bug 5dog 3mandu 3rina1 6ka 3ushka 3ya123 5katya 4usha
2ufmann 2wasaki 2yaking 3la123 4eigh 2zakhstan 5ova 4nova 5tip 1bdthgekm 2nthfnehf 2pfdtnf 1cchiefs 2j9wx5n 2mfwesg
1d189nlcih 1e12fe13 2epsake 2ith123 2kskek1 2lloggs 4y001 5123 5ann 2merovo 2naidog 3dall1 4rick 3nedy1 82 5th1 72 4wort
4y123 3shin1 6ro 4ingt 8on 3tucky 3wood1 5rth 3yatta 2rberos 3plunk 3rigan 3stin1 2tamine 2vin123 2yboard 3largo 3stone
3west1 1fcnjxrf 2nju842 2rhbvjpf 2vgjxrf 1gvebmqy 1hongbiet 1ickass1 4butt 4flip 4sass 2ersten 2kimora 4riki 2lbosik
3kenny 3labee 4bill 4emal 8l 5r00 71 611 72 83 73 621 72 73 645 666 86 79 677 699 6be 8e 6man 4ians 4kill 4swit 4zone
3owatt 2mber45 6le 8y 7y 81 2ndbuds 4ness 3g1234 4dom1 4fish 8er 4king 5ong 4lear 4pins 4rich 6ng 4shit 5ize 5ley 5ton
3kysex 3sella 4hasa 2rill123 6ov 3kland 4wood 3sten1 2seleva 3sarmy 4kiss 4myas 8s 4this 2tty123 5cat 81 5haw 5kat 6it
8ty 1jrjvjnbd 1ki177hk 2kkkkk1 1l?benhavn 2aipeda 3paucius 3udia1 2eopatra 2imenko 3ngon1 2ondike 3otzak 3pklop
2ubnichka 6ka 3ivert 1m83wa00 1nickerless 7s 3ght12 699 6s1 3tting 2ockers 5out 3pfler 4o4ka 3thead 3wledg 8e 2ucklehead
7s 1obayash 3ebrya 8nt 2chamcie 5nie 2daira52 2etsu13 2hsamui 2kakola 3opell 2lawole 3esnik 3ia123 3ovrat 2marova 3puter
2ndom25 3fetka 3nichi 3onenko 4plya 4valov 9a 3stantin 2olhaas 2pa1994 2rdell1 3oleva 2shechka 3monavt 2teczek 3tayam
2ufax32 3rniko 2valenko 6va 2zanostra 1pydskcw 1r9z40sy 2akatoa 3savchik 6ica 4nodar 4otka 3vchenko 2ishna1 7n 4tall
5en1 5ian 6e1 6n1 7a 81 7e 7ka 5jan 5ofer 6pher 2okodil 2ypton1 7i 8te 1tjynsq40147 2nj2010 2ybyuhfl 1udos4ever 2karacha
5eku 3uruku 6za 4shka 2leshov 3ikova 2mar123 2rosaki 6wa 3tcobain 3wamac 2sanagi 1vartira 1wiatuszek 3ettie 1yleregn
1zsfj874 0l0swf9gx 158jkdjp! 18g3bkde 1abrador 3yrinth 2chesis 3rimos 8a 4osse 81 2da2110 3ybird 5ug1 4ffesta 4gaga 5irl
4love 5uck 2etitia 2fayett 3rance 2grange 3wagon 2inth88 2keland 4rfan 5s08 612 624 632 74 4show 5ide 4taho 4view 4wood
2lakers 4la123 6nd 2mbchop 4ert1 4orghini 7ini 4rett 3pard8 4post 4shade 2ncaste 8r 4elot 3dlord 4mark 4rove 8r 4scap 8e
3gston 4uage 3kford 3tern1 3zarot 2pdance 3ochka 3utaxx 2racrof 8t 3ionov 3kspur 3ousse 3ry123 5bir 6oy 2ser123 5jet
3ombra 3siter 3tcall 4ochka 4time 3vegas 2tching 3enite 4ralu 8s 3itude 2ughing 5ter 3ra123 4en12 6ce 5tta 3sanne
2valamp 3ender 2wncare 4mowe 4trax 3rence 2zareva 3yacres 1bfyjxrf 2htrnjh 2njgtmp 2pfqyth 2vekmrf 1crastes 1eadfoot
3pfrog 3rning 3ther1 79 3vemealone 2bedeva 3owski 3ron23 2dzeppe 8lin 2edsuni 6td 2ft4dead 92 4hand 4over 2galize 3endar
8y 6s1 3ioner 3lover 3oland 6s1 2iceste 8r 3ghann 5ton 2kbyxxx 2mmings 3onade 2n2ski1 3a1234 5982 42010 71 3ingrad
3ochka 2onard1 7o 81 4idas 3pard1 7s 4oldo 2ra2000 3ochka 2sbian1 7s 3paul1 2titrid 3mein0 71 823 72 82 73 74 75 76 77
79 7n 8ow 7o 5out 5see 3o2010 3sdoit 4fuck 4play 3terma 2veller 5one 4rage 3iatha 8n 2wie622 4ston 2xingky 6to 8n 3mark1
3us300 1fiekmrf 3tymrf 2plhfgthvf 1g2wmgvr 1hbjkjubz2957704 1iberate 5dade 5tad 7s 6in 6y1 72 77 79 3rary1 2chking
3kme69 4puss 8y 3orice 2ebherr 4ling 2feboat 4guar 8d 4hack 4isgood 4less 5ine 4styl 8e 5uck 8s 4time 2ghtbul 8b 5ers
5foo 5hou 8se 5ing 5man 5nin 8g 5sab 8er 6pe 2kemike 4sdick 4this 4whoa 2lcrowe 3devil 3lian1 3wayne 2mabean 4peru
3baugh 3eligh 4rick 4wire 3onade 3pbizk 8it 4dick 2ncoln1 72 77 3da123 5lou 4eman 4ros8 4say1 72 5ey1 3eage123 72 4back
3gerie 3kinpark 2onhart 5ear 8t 4king 4lion 4sden 2pinski 3stick 2sa1234 4beth 4lisa 5ove 4mari 3ichka 3salissa 3topad
2tebeer 4spee 3hium1 3tlebear 7i 8t 9ch 7o 6do 6fo 7uck 6gi 8rl 7uy 6jo 6ma 8n 7inge 6on 8e 6slut 6ton 6whore 2udmila
2veevil 4free 4life 4rp00l 6oo 8l 91 9fc 5une 4strong 4wire 2z8tysiu 3a2000 79 4beth 4rdki 4veta 3ottes 3zy123 1jb4dt7n
2xtymrf 1kjhgfdsazx 1labesab 4toof 2ebpmac 2lllll1 3ooottt 1obster1 72 7s 2cation 3hness 3kdown 4edup 5rroom 4hart 5eed
4sley 5mit 4wood 3oloco 4man0 3utus1 2gan123 3cabin 3ging7 3inova 4stic 8s 4tech 81 3latin 2hotron 2islane 2kiloki
3omoti 8v 2l123123 645 86 3kin09 3lipop 81 4ol12 83 4ypop 3olyo123 2mbardi 7o 3merse 3onosov 2ndon01 611 72 83 620 72
699 3esome 5tar 4wolf 3gball 5eac 8h 5oar 8d 4dick 5ong 4fell 5ord 4hair 6ul 5orn 8s 4john 5ump 4legs 5ife 4shot 4tail
5ime 5ong 4view 4wood 3sdale 2okatme 4ing1 74 3phole 3see123 2pas123 3loprock 3otok01 2ranthos 3dsoth 3edana 4nzo1
3raine 2sangel 8es 3bravo 3enord 4r123 5kid 3fix16 3t4815162342 4boys 4love 4soul 2thlorien 3rfotr34 3us123 2uis123 5e01
5ian 5vil 2ve1234 85 42000 610 71 44eve 8r 5you 45683 4777321777 4able 4baby 5ird 5oat 5ugs 4cock 5raf 8t 4dick 4feet
5orever 4game 5irl 8s 5ood 4hate 5ina 5urt 8s 4islife 4jone 4lace 6dy 6nd 5ess 5ife 6ne 5ove 4me12 689 4porn 5uss 8y
4r123 5boy 5gir 8l 5man 4sazz 5exy 5ick 5ong 5por 8n 5tory 5uck 5you 4them 5its 4you1 72 4zp1314 2wrider 1p2568cskt
1sdlsd12 2ia9dnb9y 2utiger 1tcnhjth 2hgfhjkm 2ybc123 5jdf 1uansantana 2bimaya 2cas123 3ciano 3idity 4fer1 7666 4lle1
3ky123 5777 5boy 5cat 6harm 5day 6og 5man 5one 5str 3ozade 3retia 3ydog1 2dacris 3milla 2fthans 2isfigo 2kas123 3ester
2mberjack 2nchbox 2ojianhua 2scious 2theran 3scher 2v2epus 4fuck 3bekki 3pussy 1vbnhbq1 6tdf 2jdp383 1ynnette 2sander
2tdybrbdfvgbhf 3ghjgtnhjdcr 2udmila 1zbs2twz 2han16889 2lzdfcz 0m0nkeyb0 3tlure 11234567 889 2garand 2m2m3m4 16cjy69u35
17hsqstm 1_roesel 1a123123123 2asikas 2canudo 4rena 5oni 4vity 3daddy 4onal 3edonia 3gyver 3hine1 7s 4oman 3intos 8h
3kdadd 8y 4enzi 8e 3laren 3ross1 77 3san26 2dagascar 7kar 4la11 5ena 5ina 4rchod 3dison 4maxx 4og01 669 3elein 8e 5ine
3hatte 8r 4ouse 3inina 4son0 71 72 73 74 79 3max11 3ness1 3onna1 3rigal 4uga2 2elstro 3stro1 2gazine 3dalen 8a 3ellan
3gie01 610 71 72 83 699 6ma 3ic123 5al1 823 5hat 5ian 5man 5one 4ster 3navox 4etic 4olia 3pies1 3ritte 2halkit 8a 3endra
3ogany 4omar 2iden666 3lcreated5240 4man1 3nland 4stre 4tain 5enance 3suradze 3tland 3yeuem 2jestic 3inbuu 3ortom
2karenko 5ova 4veli 4yla1 3eitso 4ksa11 4love 4mone 8y 4nzie 3s1995 42010 45843 4imka 6ov 6us 8s 2lamute 4ysia 3colm1 7x
3dives 4onad 8o 3inois 4shka 3lard1 7s 4orca 4rats 3mstee 3yshka 2ma1234 85 5960 71 73 74 75 670 42010 4bear 4cita 4liga
4papa 4sboy 5ita 4tata 3ma123 5mia 4oth1 3ochka 2nageme 8nt 6r1 3chest 8e 9r a1 5ild 4ity1 3dalay 5rin 8ka 4ingo 4olin
4ragora 6ke 5eki 4y123 3go123 4ust6403 3hatta 8n 3ifest 5old 4toba 3kind1 3nheim 4ing1 88 3olito 3power 3sfiel 8d 4ikka
4tein 3taray 3unite 8d 3whore 3zey20 2pet123456 3lelea 8fs 3rchem56458 2radona 4jade 4kesh 4nath 5ell 8o 4thon 4uder
3bella 3celin 7t 6la 7e 7o 4henko 4iano 5us2 4o123 5pol 8o 4s1997 4us12 6eckos 3digra 3garet 81 6it 8a 4herita 4osha
3ia123 5chi 5jos 5mar 8ia 5na1 6na 7e 4cela 5opa 4e123 5lla 7e 5tta 7e 4gold 4huana 4jane 5uan 8a 4lena 5lio 8n 5yn1
4na123 75 6marina 6ro 5e12 621 6r1 7s 6s1 5o13 6chka 4o123 4posa 4sela 5hka 5sa1 4time 4upol 3jorie 3k1234 43434 4etin
8g 4hegarty 4mark 4sman 3lboro 81 4ene1 5y12 4ins1 3malad 8e 5ris 4elad 3quise 3riage 5ed1 5ott 4yher 3sbars 4eill 8e
4hal1 7l 81 3tesana 4in01 611 72 79 621 6a1 6et 7z 6i1 4usia 4ymar 3yann1 7e 4beth 4jane 4kate 4land 4mary 3zipan
2sahiro 4mune 3citti 3erati 3h4077 4a123 6998 52010 81 5masha 4enka 4outq 3iania 3on123 3sacre 4imiliano 5ve1 3ter00 71
610 71 72 83 73 621 72 73 632 655 666 79 677 699 6b8 7a 8iting 8te 9ing 6ca 8rd 7h 8ief 6key 6lo 6ma 7i 8nd 6of 6s1
4urba 8te 9ion 3yanya 2tahari 3chbox 820 3ematica 8ka 4rial 3hematics 4ilda 7e 3ilda1 3rix01 612 83 73 79 669 699 6xx
3t1234 4hew0 71 80 72 73 74 75 76 77 78 79 7d 7j 7s 5ias 6eu 4ingl 4matt 4ress 4ylad10 3ulino 3veeva 2ulwurf 3reen1
4ice1 6io 5tius 5zio 4olarastefy 2veric1 7k 81 8s 2x12345 333484 3im1935 5ili 8an 7l 6ze 5us1 72 3motives 3payne 4ower
3thedo 3well1 72 77 2yberry 3field 4lowe 8r 3nard1 2zafaka 4haka 4tlan 3da123 5323 5626 5mx3 75 5rx7 78 3inger 1bkugegs
1ccallum 4rthy 3ool24 2daniel 3onald 8s 4well 2fadden 4rlan 8d 2gregor 2intosh 5yre 2kenzie 3inley 5ney 3night 2laren1
7f 81 2master 3illan 1dmaiwa3 3gatew 4l004 3nis1u 4ttd2 3sii64 1eandyou 3tball 4head 4loaf 2ch6666 4anic 8al 2dellin
3ical1 5ina 7e 4eval 4tate 7ion 3vedev 8a 2gabass 5yte 4deth 4fon77 4man1 7x 4n123 4pass 5olis 4star 4tron 2ister1
2lanie1 72 3bourn 8e 3chior 3inda1 4ssa1 72 73 76 77 7s 3lissa 3nikova 3tdown 3ville 5n69 2mbrane 3orial 6es 3phis1
3yself 2owmeow 2phisto 2rcator 4ede1 7s 81 7z 5nar 4hant 4urio 6y1 72 77 5tio 3edith 4ngue 3idian 3lin01 610 71 72 621
669 699 3maid1 7s 3rill1 3sedes 3zario 2sohorny 3quite 3sages 4enge 8r 4iah1 2tadata 4l123 5666 5core 5gea 8r 5hea 8d
5ica 5lic 8a 91 5man 4phor 4tron 3hanol 4odma 8n 3ro2033 5pol 8is 3s1986 2vefalkcakk 2xicali 6n1 7o 1iami123 5305 3tamx5
2chael0 71 82 93 83 72 73 74 75 76 77 78 79 7a 7b 7c 7d 7e 7j 8ackson 7l 7m 7p 7s 7t 4ele1 6in 6l1 7e 81 6ob 4igan 81
3k7278 4ey01 611 72 622 669 6mo 8use 3rolab 81 5phone 5sof 8t 5wav 2ddleto 3iland 3night 81 2ghtymo 3uelit 2ke1234 85
5969 42000 4hunt 4jone 4mike 4y123 2lagros 4mber 4shka 3ehigh 4nium 3fhunter 3house 3itary 3kbone 4maid 6n1 4shak 8e
4yway 3lenia 7u 8m 6ni 8um 5r01 612 631 6li 8te 6ti 8me 4igan 5on1 7a 8ire 7er 7s 4wall 3wauke 8e 2mi92139 2narets
3dgame 4less 4spri 3e2306 4craft 9123 4mine 4only 3hasenha 3iclip 5oop 8er 4disc 4max1 5oni 4skir 5ter 6ry 3nesot 8a
9_hp 5tte 4twin 3ority 4taur 6vr 4uche 3strel 2racle1 7s 4nda1 3eille 3onenko 5ova 4slav 8a 3uvor79 2schief 3fit99 6s1
3ha1111 623 5nya 4mash 4utka 3iaczek 91 3sion1 7s 5ssi 8ppi 4kitt 8y 4oula 6ri 4y123 5dog 3terio 6me 4ral1 5ess 4y123
5cat 5dog 2tchell 3hrand 3subis 8hi 3tens1 2xmaster 2yamoto 3varxar 2zredhe 1jbnbna1 2ollnir 1ko09ijn 1mmmmmm1 1nbvcxz1
2emonic 1obbdeep 3ility 3ydick 2deling 5sne 4rato 8r 3ified 2hammad 6ed 3inder 2isture 2jojojo 2lecule 3ly123 5cat 5dog
5moo 2m4u4mm 3anddad 3entum 3my123 3oney1 3sanaladventure 2nalisa 6za 4mour 4rchs 3day12 3ey100 611 623 84 54me 5777
5bag 8s 5mak 8er 7n 6on 8ey 5sho 3golia 5ose 3ica01 612 669 4que1 4tor1 72 3key00 71 610 71 72 83 73 74 79 620 71 72 73
74 642 666 79 677 699 6bo 8y 7u 8tt 6ma 8n 6s1 4fish 3mouth 3olith 4noke 4poli 7y 4rail 4xide 3rovia 3ster1 823 72 77 79
7s 3tagna 7e 6ue 5na1 72 4blanc 4ecar 8lo 5iro 5lla 5negro 5rey 6o1 6re 4gom240 7e 8ry 4real 6ux 5ose 4y123 5dog 3ument
2okie12 3m4242 661 3n1234 4beam 4dog1 4glow 4ligh 8t 6te 4rake 4shin 8e 6ot 5tafa 7r 4unit 4walk 3se123 5hea 5jaw 5man
2par440 5man 2r_pass 3ales1 3ebeer 4head 4land 4mone 8y 3gaine 5n01 612 6stanley 3iarty 3kovka 3ning1 7s 3ozova 3pheus
5ine 6us 3rigan 5sey 6on 6se 8y 4owin 8d 3talkombat 4gage 4icia 5mer 2schino 3ias98 3quito 3sberg 4yoak 3twanted 2tdepas
8s 9e 3era15 3her12 6fu 8ck aer 6lode 3ivate 3ocros 8s 4guzz 4rbik 8e 5cyc 8le 5hea 8d 5man 5ola 7la 5rad 2unta1n 6i1 7n
8s 3rning 3se123 5man 6ouse 5pad 2vement 3iebuf 5man 5s23 2werman 1petroff 1rblonde 3rownx 8x 3ungle 1sconfig
2oracle32re 4cloledbr 3uthwa 1twapa1a 1uaythai 2chacha 7o 2dhoney 3shark 4lide 3vayne 2enchen 2ffdive 8r 4in11 72 6man
2hammad 6ed 2irhead 2lberry 3edeer 3ligan 3timed 8ia 5pas 8s 6le 8lo ag 5sca 8n 6yn 8c 2nchies 5kin 3son15 2rakami 4saki
3ciela 8g 9o 3derer 3mansk 3phy01 611 6do 3zilka 2selman 3hroom 8s 3ic101 623 5al1 5box 5ian 5lover 5man 3taine 5ng0 71
72 73 74 75 76 86 87 89 77 78 79 7g 8t 7s 5rd1 4ikka 2tt22pu 1vtnr765 1wq6qlzo 1xaigtg5 2yzptlk 1y2girls 23girls 2family
3riend 2jdxtcxks 2money1 4ther 2nameis 3ewbots 5pas 2passwo 8rd 2secret 3pace1 72 3terio 6y1 4ical 5kal 5que 2xworld 84
0n1a2t3a4 17td4bjl 18skfswa 1acional 2dezhda 2gasaki 3shead 2kamura 2llepuh 2meless 3repus 2ncy123 3otech 3tucke 8t
2polean 6on 3ster1 2rayana 3endra 3koman 3uto010 612 83 699 2scar03 78 620 74 688 699 3hvill 8e 3tenka 4ya123 7995 96 97
62010 6nastya 5boy 5man 2ta1977 680 4lia1 6e1 72 6ya 4s666 5cha 5ha1 823 72 75 6ka 3edawg 5ogg 3halia 7e 5n01 612 6ae
6ie 8l 3ional 3ural1 7s 5ist 2ughty1 72 7a 7boy 3menko 3sicaa 3tica1 7l 5lus 5que 2vigate 7ion 7o 8r 4llus 4site 3yblue
4seal 2zarenko 6th 5ova 1buhtyjr 1cc-1701 31701a 7d 7e 374656 3pl25282 1dshnx4s 1e_e_pod_chehyl 2braska 2cklace 3roman
8cer 5n99 6omicon 3tarin 2derland 3kelly 2ed4speed 4ajob 4forspeed 4some 2fertit 8i 2gative 2ighbor 2kromant 2lson11
2mesis1 72 4zida 3iroff 3rac58 3vxyheqdd5oqxyxyzi 2ophyte 2pbr2009 3enthe 3hilim 3tune1 2sterenko 6ov 8a 2tnovel 4wlnk
3scape 3video 3ware1 4ork1 72 7ingpe 7s 3zwerk 2uroman 5sis 3speed 3trino 2veraga 8in 5die 5giveup 5land 5man 6in 8d 6or
8e 5winter 2wberry 4lood 4urgh 3castl 8e 4omer 3delhi 3haven 4ouse 3jerse 8y 3life1 72 3media 5xic 8o 4oney 3order 5lea
8ns 3pass1 72 73 76 7w 8ord 4oint 5rt1 72 7s 4roject2004 3shoes 4pape 8r 4tart 5yle 3world 3york0 71 72 7e 3zeala 8nd
2xtdoor 2zabudka 1fgbpltwq 2hfctyrj 2kbcvfy 2nmzyrf 2vthkfy 1hatrang 2bujyjvtnhbz 2ecsyfujkjdt 2fdvfnjkju123 3kbdfkb
3rnjhbcn 3ycajhvths 1icaragu 3ebutt 4girl 4legs 4rack 4tits 3helle 4olas 81 89 3k1234 8-rem936 4laus 4name 5ick 4olas
4sfun 5ter 3olas1 72 5e01 611 72 83 78 623 669 6tt 8e 4tine 2etzsch 8e 2gger123 3htcra 8wler 5fal 8l 5haw 8k 5ime 5man
7r 8e 91 5owl 5shade 5win 8g 7s 8h 6olf 2hao123 2ke1234 4golf 3ita123 7998 62000 695 79 5ina 3ki123 3olaev 8a 8na 6us
6y9 2lknarf 2majneb 2nanina 3eball 4inch 4teen 3ja123 5man 4utsu 3tendo 81 864 2pples1 2rvana1 79 2ssan350z 2tehawk
4mare 3rogen 2zmo400r 1jdevils 2i90okm 2kmznnb 1nmaster 2nnnnn1 1oaccess 2bunaga 2chance 3turne 2hack04 2isette 2kia123
6600 52700 53110 6230 750 6310 55130 6200 728 730 6300 710 720 6530 6610 6700 6800 56120 731 6230 9i 83 6300 83 6500
6630 57070 6610 58800 5dermo 5e51 5n70 73 682 695 2limit5 78 79 7s 2name123 3capa0 3driversig 3enone 3membe 3rev67
3sense 2odles1 3nehackme 2pasaran 5swo 8rd 2rcross 3mandy 3seman 6en 3thern 5pole 5side 6ta 8r 5wes 3wegen 4ich1 2saints
3ferat 8u 3nibor 3redna 3tradamus 5omo 2t4u2no 3again 3e1234 4book 3hanks 4ing0 71 3oriou 8s 3redam 8e 3tingh 8am 4oday
3yours 2unours 3velle 2vartis 4star 3ember 81 6re 3gorod 3ifarm 4kova 3osibirsk 2way123 5man 5out 3wowtg 1snabh76
1thk12345 3vbyfnjh a2 2ktdbpjh 91994 4gepbr 1uaddn9561 2degirl 4lamb 2ggets1 2mber10 620 6on 4nuts 2rsultan 2tshell
3tertools 1wo4life 1ygiants 2knicks 2ranger 2yankee 8s 1zceg251 0o1l2e3g4 14izdmxu 1akland1 3ridge 3ville 1blivion
2server 4ssed 6io 8n 3idian 3olete 2vious1 1c247ngucz 2eans11 2tavian 6us 3ober1 72 73 81 76 77 78 4puss 1ddworld
2gez8j3 2inthor 2onnell 2t4p6sv8 2ysseus 1fclr278 3ourse 2ficial 3shore 4prin 8g 1hiostat 8e 1jp123456 1kk34125 2lahoma
2tober7 1lcrackmaster 2dfield 3pussy 3schoo 8l 4kool 4mobi 8le 4pice 3timer 2eander 4ut32 3g1985 694 75 76 4naruto
3miss1 2ga1234 5976 79 691 2iphant 3veira 5oil 5r01 612 83 699 5tti 4ier1 2liedog 2olo123 2ympics 1mega123 5man 5red
2gkremidia 3wtfbbq 2nislash 2sairam 2ytvc15 1ne23456 3love1 3piece 3two12 634 6three 2imusha 2lylove 4one1 74
2theoutside 5roc 8ks 1oicu812 2oooo99 6o1 1pelagila 5stra 3n1234 4door 4open 4sesa 8me 4wide 3ratio 8n 6or 2opop11
2timist 5us1 4onal 4plex 4ques 8t 1qglh565 1range01 610 71 72 622 644 677 688 699 6s1 2enburg 2ganist 4smic 2iental
3flame 3ginal 3oles1 4n123 2lando1 2ochimaru 2thodox 1sbourne 2car123 5dog 2kar123 1thello1 4rside 1u812345 54me 2achita
2sooner 2tbound 4reak 3doors 3house 3kast1 3rider 3side1 7r 1valtine 2ercome 4dose 5riv 4flow 4kill 4land 5oad 6ok 6rd
4mars 4ride 4seas 4time 5ure 1w8jtcs8t 2nage123 1xymoron 1zlq6qwm 2zmosis 0p0015123 230710p$e4o 2o9i8u7 8y6 11234567
2nkb178 12ssw0rd 13nnywiz 1455w0rd 2ssw0rd 5ord 1@ssw0rd 1a$$w0rd 255w0rd 5ord 2blo123 2changa 3ific1 7a 7o 3kages 5rd1
4ers1 72 74 2ganini 3edown 2inkill 8er 4less 4tbal 8l 91 5er1 7s 5ing 2kalolo 3istan 81 8i 2lace22 5ios 4din1 7e 4mino
4ntir 3enque 4rmo1 4stine 3ladin 7o 7um 4mall 3meira 8s 5tto 4tree 3oalto 4mino 3patin 2mplona 2nasoni 8c 8k 3cake1 7s
4hito 4reas 3da123 5bear 4emonium 4ora1 72 7s 3golin 3orama 3tera1 72 76 4her1 72 75 76 77 78 79 7a 7s 81 4ies1 72 4yhos
8e 5man 2pabear 4geno 4mama 4roach 4smur 8f 3er123 5boy 5cli 8p 6ut 5ino 5man 3ichul 8o 4llon 3pnase 2rabola 4chut 8e
4digm 6se 7o 5oks 6xx 4gon1 5uay 4klast1974 4llax 6el 4medi 8c 5ore 6un 8t 4noia 7d 6ya 4site 3cells 3filev 3is123 5ien
3ker01 612 4head 4land 4side 4view 3lament 4iame 8nt 3ol123 845 5999 5a12 6mea 5parol 3rothe 3sifal 3tagas 4icle 5zan
4ner1 7s 4ridg 4yboy 5man 5tim 2sadena 3ha123 3quale 3s1234 5821 5wor 8d 42012 4at99 4code 4find 4ion1 7s 4king 4mast
8er 4over 4page 6ss 5ort 4ssap 5word 4thie 8f 5rader 4w0rd 81 5ard 5erd 5or1 7d 8! 80 90 91 81 90 91 92 a3 b4 93 82 91
92 93 83 84 85 86 99 87 88 98 89 99 8assword 8d 8password 8s 9tandard 7t 81 5urd 3woord 5rd1 2tagoni 4tina 3ch123 5es1
72 3erson 3hetic 4find 8er 3ience 3ricia 81 7o 6k0 71 72 73 74 75 77 78 79 7s 5ot1 7s 81 5zia 4ycja 3terso 2ul1234 4a123
5ner 4chen 4ette 4ina1 6e1 6ka 4paul 2vel123 4ment 3ilion 3lenko 4usha 2ycheck 81 3ton34 2zzword 1chealth 1dtpljxrf
1eace123 5ful 5maker 5out 4hes1 72 73 5fuz 4ock1 3nut11 72 6bu 8tter 6s1 3rljam 4tree 2bbles1 72 2derast 5sen 3igree
3ro123 2ekab00 6oo 3pshow 3rless 3wee51 2gasus1 3gysue 2lican1 2mbroke 2nchair 3drago 8n 4ulum 3elopa 7e 4trating 9on
3floor 3guin1 76 78 7s 3horse 3is123 3mouse 3nstat 8e 4y123 5dog 5wis 8e 3sacol 8a 3table 5gon 6ram 4hous 8e 4ium1 72 73
74 3windo 2pper01 611 72 83 74 676 6mint 6on 8i 3si123 5col 8a 5man 7x 5one 2rcival 4ussi 8on 3egrin 4svet 3fect1 7ion
7o 4orma 8nce 7ing 3icles 3manent 3nilla 7e 3sepho 4hing 4ona1 7l 3tinant 3vasive 4ert1 7s 2scator 2ter123 5bil 8t 6urg
5man 5nor 8th 5ose 5pan 5sen 6on 3rovich 6na 4ushka 3ticoa 2ugeot406 2yton18 1fchfyrf 6tw 2eiffer 2hfnecnhf
2qwtd27121988 3xjyjr 4tyjr 1gszt6md 1haedrus 3ntasm 7y 5om0 71 72 73 74 77 7s 3rmacy 3tfarm 2easant 3nmarr 3onix1
3zc419hv 2ialpha 3ladel 8phia 4bert 4emon 4ippe 7ines 6s1 4lesh 5ies 6p1 7s 4mont 4osophy 3sh123 5420 5ing 2oenix0 71 72
73 75 76 77 78 79 3neman 3togra 5man 5sho 8p 5wiz 2ydeaux 3sical 1i314159 2anoman 3zza31 2bzk431 2casso1 3colo1 3kles1
4wick 3tuers 5re1 7s 2edmont 3honkii 3rcing 2gtails 2kachu1 2lchard 3edriv 3grims 3igrim 4penko 3ot123 3sbury 2mpdadd 8y
7y 5ogg 4hard 4in69 4juic 8e 4shit 5ter 2narell 3eappl 8e 91 4cone 4tree 4wood 3geye2 4golf 4pong 4uino 4zing 3kerto
4floy 8d 4lady 4pant 5uss 8y 4y123 3nacle 3occhio 4yako 2oneer1 7s 2peline 4utvj 3pen33 2ramida 7e 4tes1 3rello 2ssword
3tache 4ons1 2tbull1 7s 3cher1 7s 3mans4 3tbull 4sbur 8gh 2zza123 5boy 5hut 5man 5pie 1jcgujrat 2flkork 2kmabhz 1lankton
4ning 4ters 3stic1 7p 7s 3t1num 4form 4inum 81 4onic 4ypus 3y2win 4ball 5oy1 72 73 76 7s 4er21 669 4girl 5olf 5rou 8nd
4hard 5ouse 4mate 4offs 4stat 8io an b2 b3 4time 2easant 5e12 6me 5ure 3thora 2hfdcndeq 3y6hql 2jhjdmt 2okijuh 2umber1
5ing 3toniu 2ymouth 1mdmscts 8k 2tgjnbl 1odiatry 3stava 3vinsev 2gosyan 2intblank 6reak 5ers 5man 3u0987 41234 4lkjh
2kemon00 71 82 93 72 7s 4r123 5face 5man 4smot 2l123456 3arbea 8r 5is1 5oid 3ice22 6ma 8n 4tics 6ka 3kadot 5udi 8o
3ly123 3niypizdec0211 c1102 g11 3o1234 4polo 809 3yakova 2n32029 3dscum 3tiac1 3ytail 2ochie1 3hbear 81 3kie11 4ster
3l6123 4side 3ntang 3pdick 4face 4head 4poop 4ster 4ypan 2pcorn1 72 3ochka 3py123 5dog 3sicle 3tart1 7s 2rkchop 4ypig
3n1234 44life 4club 4king 4love 8r 4o123 5gra 8fia 8phic ay 5man 5sta 8r 4pass 5orn 4site 5tar 3ol777 4senok 3poise
3ridge 3sche1 72 78 79 811 7s 4he911 3table 4illo 5shead 4land 4smou 8th 4ugal 4vale 2seidon 3itano 5ion 6ve 7o 5ron
3sible 3tbank 4card 4ov10 800 2tapova 4toes 3smoke 2ulette 3nding 3rquoi 2wer123 5666 5ade 5boo 5ful 5hou 5mac 7n 5of3
5pla 6ower 5str 1pppppp1 2spankp 1qnr67w5 1r1ncess 2actice 3shant 3tibha 2eacher 3ciosa 6us 81 5sio 3dator 81 8s 3gnant
3lude1 79 7s 3mier1 7e 5umcash 3ntice 3sario 4cott 4ence 5rve 4iden 8t 9e 4sman 5ure 4tige 7io 5on1 3tende 8r 4oria
4tybo 8y 6girl 2idurok 3maver 8a 4etim 8e 921 4rose 3nce11 72 655 6sa 7it 7s 81 82 8a 8e 6to 8n 5ipa 7e 4gles 4ter1 7s
5ing 3ority 3scila 7l 8a 4onbreak 6er 3vate1 75 7s 4et123 6ik 3yanka 2obably 4lemas 7s 3cess1 7or 3digy1 4ucer 6ti 8on
7s 3fesor 6sional 7o 8r 4iles 3ghouse 4ramm 8er 5ess 8ive 3ject1 7s 3kuror 3linea 3methe 8us 4ises 4opas 3perty 4hecy
6t1 3spect 6rity 7o 4tock 6tak 5reet 3tected 7i 8on 4ocol 5ols 5typ 8e 5zoa 3vence 5rbs 4iden 7r 6ia 8n 5sta 3wler1
2udence 3frock 1s253535 2w333333 2ychnau 8t1 5o72 78 6lo 3locke 1tfe3xxp 2ybnxtvgbjy 1uckhead 2dding1 2ertori 8co
2ffdadd 3unga7782 2issant 2llings 2mpitup 4kin1 72 7s 2nisher 3krawk 5ock 4snotdead 3ter12 2ppy123 5dog 2ravida 3chase
3eevil 4gold 3gator 3ple01 611 72 73 669 677 2shistik 3sy101 623 5420 6me 5bitch 6oy 5cat 5eat 8er 5fuck 5gal 5kat 5lic
8k 9er 7p 8s 6ov 8er 5man 5pussy 2tamadre 4ngina 1xx3eftp 1yfrjvcndj 2ramid1 77 7e 7s 0q123321q 44567 88 99 a0 7q 3we34r
2q2q3q4 8q5 2w2e3r4 8t 95 ay6 cu7 ei8 go9p0 12w3e4r5 14n2jdeh 18zo8wzq 1awsed123 6rf 8tg ayh 2z12345 86 6qaz 6wsx 9456
5wsx 4wsx2 326101778 3edctgb 3qaz123 3sedcft 3wsx11 72 83 94 a5 b6 6ed 8c 91 a2 b3 9rfv ctgb 6qazwsx 3xcdew 8s 5vbn 8m
4sw12 83 621 72 6ed 8c 9123 9vfr 1cmfd454 2xdw8ry 1mezrxg4 2pq39zr 1pful542 2woeiruty 1q123123 5321 5456 8789 2qq1111
4qqq1 4wwww 3wwweee 2wweerr 1sefthuko 1uackers 3gmire 3lcomm 4ity1 3nt4307 9s 5um1 3resma 4ters 3simod 3ttro6 2eenas8151
5bee 4queg 3stion 2icksan 8d 6il 8ver 3etkey 5man 3ksilv 8er 3ncunx 4tain 6na 3xotic 2ovadis 1w123456 4er34 2aszx11 72
83 6edc 7rdfcv 6qw 2e123321 6456 97 6asd 6qwe 9123 6rty 3asd12 83 6qwe 6zx 8c 91 a2 b3 3dcxzas 4sazxc 3qwe12 83 3r1209
634 85 44321 4asdf 8zxcv 4fdsa 4t123 84 95 554321 5asd 8fg azxcvb 5gfdsa 5trewq 5y00 71 72 79 610 80 71 81 72 83 94 a5
b6 c789 73 62010 71 72 73 632 81 73 656 666 86 79 677 87 78 89 688 79 699 89 6as 8d 9fgh 6u1 823 78 7i 81 8o 9p a1 b0 b2
c3 d45 6ytrewq 4zxcv 3st123 2qw1212 1zwxecrv 0r1234567 12d2c3p0 7o 13ady41t 2vi3wpass 14e3w2q1 1abbit12 666 79 2cecar02
71 7s 3hael1 4el01 669 6le 2dagast 4r123 3iance 5tio 6or 4cal1 4o123 5hea 8d 5man 2ffaele 7lo 4erty 2gnarok 2hul123
2ider12 6s0 71 72 3lroad 3nbow1 72 76 77 7s 4coat 4drop 4fall 5orest 4make 8r 6n1 4tree 4yday 3stlin 2jendra 3kumar
2kkasan 2leigh1 3liart 2mbler1 4o123 3charg 3mstei 8n 91 3stein 3tough 2nchero 3dolph 5m123 4yman 3ger01 72 610 71 72 73
621 666 79 675 682 698 79 6over 6s1 72 79 7f 2ptor01 622 6s1 3unzel 2sberry 3engan 3hley198 3pberr 8y 4utin 3silon
3ta220 5far 8i 5man 2thbone 3ional 3tlers 6sn 8ake 4olo58 4race 2ven123 5666 5lof 2wiswar 2ymond1 2zdvatri 3orbac
1b26dett 1dfhnbhf 2gpl3ds 2q5ww4x 1eaction 3ding1 4y2go 5now 3ldeal 4good 4hard 4ity5 4madr 8i 9d 4time 3nimator 2bbecca
4yt34 3ecca1 72 79 4llio 2ckless 3order 4very 2d12345 3alert 4pple 3barch 6on 4eard 4ird1 7s 4ull1 3car27 4loud 4ross
3devil 8s 4rago 8n 4warf 3eemed 7r 4mption 3fish1 3green 3hat50 5wks 4ead1 7s 4orse 5use 3knapp 3label 5nds 4ight 4over
3neck1 7s 3point 3rider 5ver 4obin 5cke 5ses 5ver 4yder 3shift 6rt 5oes 4kin1 7s 81 4ox04 611 72 79 620 74 699 4tone 6rm
3truck 3vette 3white 4ing1 7s 81 4ood1 2finnej 2ggie31 3iment 4nald 4onal 4ster 3lisse 2hjgfnrf 2indeer 4hard 5old
2kbrjdf 3mubyf 2liable 5nce 4gion 3oaded 2mbrand 3ember 3ingto 8n 2negade 3field 2pmvbyf 3orter 3tiles 4ymrf 3ublic
3vtyrj 3ytwjd 8f 5xbr 2quired 2rehepf 3fhfxf 5tre 2search 81 4t123 3ident 8evil 3olute 4urce 3ponse 4ublika 3tart1 5ura
4less 4rict 2tarded 3ired1 3raite 4ieve 5ver 2velati 8on 4nant 4rend 3iew69 6er 6pa 8ss 4val47 3oluti 8on 5ver
2ymysterio 3naldo 4olds 1fcgthcrbq 2gbnjirf 3ecnfcerf 3tkmrf 2hbyjxrf 3ectkm 3fntkm 4rfnbwf 4ufylf 4vtkm 8rf 4ylfi 5nby
3jkbyf 3lbyfk 3njirf 3vfyftd 2kbajhybz 4ybyf 3mrekznjh 3tylfhm 2nfcnhjaf 4gekmnf 4hbyf 3thbyf 81988 7rf 4ymrf 2pfyjdf
5nbg 2vbrflpt 3fcenhf 3tgbyhn 3xfnrf 2ybreks 3cthdf 1hapsody 2bcnbyf 7jxrf 3dtnrf 2fcbdfz 4fdbwf 6xbr 4jnrf 4yjlfh 6zhcr
3dxtyrj 3vfnjhcr 2iannon 3nd101 2jrjlbk 2tdtlrj 3yltkm 1icardo1 3cardo 3flair 3hard0 71 72 73 74 75 77 78 79 7c 7o 7s
8on 4elle 4land 4mond 3kster 3ochet 2dgeway 2esling 2ffraff 3leman 2ghtnow 2kimaru 2leydog 2ncewin 8d 3gding 4o123 4wood
2obravo 3grand 2pken08 3tide1 2ver123 5man 5plate 5rat 5sid 8e 1jcntyrj 2dfkmxer 5tdf 6yrj 2hjdf777 4kmbien 5tdf
2irfrgbde 2kjrjkmxbr 2ntyjxtr 2pkjljq 2rfrjkf 2vfhjdf 3gm.nth 2yatnrf 3cnbnewbz 5fynby 1kbvtyrj 2fdbfnehf 2tjgfnhf
1lzwp503 1mracing 1oaddogg 4kill 6ng 4race 6ge 6sh 5unn 8er 4star 6er 4trip 2bert00 71 611 72 83 79 622 73 74 671 699
6a1 6o1 7s 6s1 7o 8n 3in123 5hoo 8d 5son 3otech 5ics 2cawear 3hdale 4elle 5ste 8r 3inant 3k1234 4andr 8oll 4bott 8om
4city 4et01 612 621 669 688 6ma 8n 6s1 4fish 5ord 4hard 5ead 5opper 4land 4nrol 8l 4port 4rock 6ll 4shox 5tar 81 6er
4well 5ood 4y123 5boy 5dog 5top 2derick 3ionov 3man91 3rigue 8z 2flcopter 2ger123 2leplay 3lover 4rock 4tide 81 2ma1990
73 75 76 42010 4n123 5222 5777 5ce1 5enko 5ova 5roman 5son 5tic 7k 8a 4roma 4shka 3eo123 2naldinho a10 6o1 823 77 79 89
2odypoo 3ney10 3sevel 4ter1 7s 3tbeer 4edit 2salina 7d 6ta 3eanne 4bowl 5ud1 77 7d 7s 6sh 4dale 4hill 4line 4mari 8e 7y
4nrot 4rose 4wood 3ie123 3kilde 3sella 4igno 8l 3tislav 2thmans 3terda 8m 4weil 8er 2ulette 3nders 3sseau 2ver123 3nogod
2xanne1 2yjones 3keane 1rrrrrr1 1salinas 1t3460014 26ytere 2yu4567 1ubberdu 8ck 3yrose 2ffneck 4ryde 2gby123 5man 3giero
2lesyou 4zzzz 2ndll32 3escape 91 3ner12 4ing1 2sh2112 4hour 4more 4rush 3lan123 3sell1 72 77 4ian6 77 7s 4land 3ty123
5boy 5dog 2tabaga 5ega 3hless 3ledge 1vgmw2gl 1yebread 2jgjxrf 1z93qpmq 0s1234567 88 99 7s 2a2s3h4a5 2s2s3s4 1456123789
15r8ed67s 17fhs127 19te949f 1aab9000 3vedra 2bbath1 3otage 3rina1 2coremsg 3ramen 8to 4ific 8e 2die123 5dog 5mae 3omaso
2feu851 3onova 3ronova 2gitari 5tarius 2htm038 669 682 5131 2ilaway 4boat 4fish 4ing1 4ormo 8on 3sg002 3yajin 2lamanc 7d
8er 8ra 4sana 3esman 3inger 4sbur 3ly123 5ann 5dog 3ohcin 4mon1 3tanat 4lake 4water 4ydog 3vador 5tio 8n 6or 8e 3zburg
2m12345 438989 3adams 4nth1 7a 81 4rkand 4tron 3mie01 4y123 5boy 5cat 5dog 5sos 3pson1 3son12 4ung1 823 72 79 3uel12
4rai1 77 7x 2nandreas 5ton 3chez1 4tion 5uar 8y 3dberg 5urg 4ers1 72 7o 4hill 4i1172 5ego 4man1 7n 4okan 5val 4ra11 669
5ine 6ta 5ock 4usky 4wich 4y123 5dog 3ek123 3francisco 3geeta 3ity72 89 3marco 3pedro 3skrit 3ta234 5cla 6ru 8z 5fe1
5maria 5na1 75 6de 8r 4eria 4iago 4orin 8i 2opaulo 2pphire 2qartvelo 2rah123 5200 4jane 5evo 4kawa 4sara 5ota 4toga
3geant 4syan 2safras 3ha111 623 84 95 6988 791 82 83 84 85 86 87 88 52000 710 81 5777 5_007 5dog 5sasha 4enka 3itare
3katoo 3quatc 8h 3sy123 5cat 5dog 3uke12 83 2t321321 3an666 5a666 5iv1993 3chel1 3elite 5lit 8e 3isfaction 3riani 3urday
5nin 2un24865709 4ders 3sage1 7s 2vannah 81 4tage 3chenko 3e13tx 2wblade 3tooth 2xophon 8e 2yangku 3onara 1c0tland
2affold 3mper1 3ndinavian 6sk 4ner1 3recro 8w 4face 81 4let1 7s 7t 2haefer 4lke0 84 4stie 3ecter 4dule 4isse 4nker
3iffer 4ller 3lampe 5nge 4umpf 3midt1 3napps 4ecke 5ide 8r 4itze 8l 4ucki 5ffe 7i 3ool12 6girlie 5ner 4rsch 3reibe 4oder
5ede 8r 3ubert 4ltz1 4mach 8er 4ster 4yler 3wartz 4eden 2ience1 3mitar 3rocco 3ssors 2ooby11 72 669 6do 8o 4ter1 72 73
75 76 77 78 7s 3rcher 4elan 8d 4pian 6o1 72 76 77 7n 8s 6us 3tland 4sman 4t123 5ie1 6sh 5sda 3ubidou 92 96 2rabble 4mble
4nton 4pland 5per 6y1 4tch1 7y 3eamer 6in 4wbal 5you 3ibble 3ubber 4ffy1 2uba123 5div 5man 5pro 3deria 3rlock 1d3lpgdr
3utre7 2h686drth 2icmt7seytn 2sadee23 1eabass1 4rook 3doo96 3grams 6ve 4ulls 3hawks 4orse 3lteam 3mless 3njohn 3quest
3rcher 6in 4ock6 3shell 5ore 3tleon 4tle1 72 77 2bastia 8n 91 7e 8n 3ora64 3ring1 2cret00 612 83 699 6ar 3tion8 3urity
81 2ductive 2emnemaailm 2gblue2 2infeld 2kirarr 2lassie 3ector 3fok2013 3hurst 2menova 3inole 8s 3perf1 7i 81 4rini
2nators 3ha123 3iseviyor 3orita 3satio 8n 4ible 5tiv 3tinal 6el 2phirot 8h 3tembe 8r 7r 4iembr 3ultur 8a 2rafima 6na
4phim 3ega123 4nada 7e 5dip 8ity 5ity 3gbest 4eant 5eva 7ich 7na 5y123 3ious1 3pent1 3solution 3vette 4ice01 71 7321 7s
2ssions 2ttings 4lers 3upenu2 2vastopol 3en777 5dus 5of9 6ut 5tee 8n 6y7 4rine 3ilia1 4sgur 2x12345 34ever 4free 3addict
3drive 3fiend 4reak 3iness 4sfun 5good 3kitte 8n 3lover 3machine 5nia 3pistols 3sells 5xse 4ites 4lave 4tuff 3xxxxx
3y1234 4babe 7y 5eas 8t 5itc 8h 4feet 4girl 8s 4lady 5egs 5ove 4mama 4pass 4red1 4sexy 4time 4wife 1fgiants 1gegukbm
1h4d0w3d 2adow00 71 610 71 72 812 83 73 74 620 72 73 669 688 699 6fa 8x 6ma 8n 6ru 8n 6s1 4well 3hrukh 3kazul 4espe 8are
3limar 3manking 4eles 8s 4poo1 4rock 3nahan 4e123 5y14 4ghai 4nara 5on1 72 4tell 3olin1 3ringan 5pov 4kman 4lene 4on12
669 4pie1 3shank 3wshan 2dwlnds 2earer9 3badog 3devil 3epdog 3ffiel 8d 5wed 3lbygt 8500 4don1 4ley1 3males 3nlong 3pherd
4pard 3raton 4bert 4idan 4lock 4man1 4wood 3tland 3vchenko 2ibainu 3lling 3nchan 4igam 8i 3pmate 4ping 4yard 3rley1
3t1234 4ball 5ird 4face 5ire 5uck 4happens 5ead 81 5ole 4shit 2ock123 5er1 7s 5ing 5wav 3ehorn 4lace 5ess 3kolad 3oter1
7s 5ing 3pmenu 4ping 81 3rtcut 5dog 5man 5sto 3tgun1 7s 4okan 3ulder 3wboat 4case 4girl 4time 2redder 3ike01 2umaher
3riken 3tdown 2ygirl1 1ibelius 4rian 2cilian 3kness 2ddhart 3ekick 4show 4walk 6ys 5ind 8er 3orova 2egheil 3mens1 3rra01
612 2ffredi 2gmachi 3natur 8e 3sauer 2lence1 7r 5tbo 6hill 6ium 3icone 3keborg 3lyboy 5man 3maril 3ver01 611 72 621 72
633 669 677 699 6ad 8o 6ch 6fi 7o 8x 6go 6ma 7o 6si 7t 8one 5str 2mba123 5cat 3feropol 3on123 5ova 5say 8s 3pleplan
4son1 7s 2natra1 3clair 3fonia 3gapor 8e 6ur 3ister 3nfein 3tesi07 2ouxsie 2ssinit 4y123 5boy 3yphus 2tepass 3hlord
2xflags 3pence 3strin 3tynin 8e 5six 2zinici 1k84life 3board 3ordie 2arlett 3te123 5boa 8rd 2eeter1 3leton 7r 2idmark
5ore 3nhead 4nass 5er1 3pjack 4per1 5ing 3ttles 2orpion 839 2yblue1 7s 3dive1 7r 3eseth 3hawk1 3light 5ne1 3pilot 3tommy
3walk1 7e 8r 1lacker1 7s 5ing 3dkaya 3gelse 3inte6 3mdunk 4mer1 3phead 4nuts 7z 4shot 3va123 4eboy 3yer123 666 86 79 6s1
2eeper1 7s 5ing 3ipnir 2ick123 5one 5ric 3med123 4shad 8y 3pknot 81 8666 4per1 7s 7y 2oneczko 3t2009 3vakia 3whand 4poke
4ride 2utfuck 4wife 1mackdow 8n 3lldog 5fry 5tit 5vil 8l 9e 3rtass 5ies 3shing 2eghead 3llyfe 2ile101 623 54me 3rnoff
6va 3th123 5ers 2oke420 5dog 5one 5pot 5wee 8d 5y01 612 622 3lensk 3oches 6ie 4th15 6ie 2uggler 7s 3rfett 1nake123 5bit
5eye 8s 5man 5pit 5yes 3pper1 7s 5le1 4shot 2eakers 2h4life 2ickers 81 3ffing 5les 3per01 612 83 2oogans 5ins 4kums
4pdog 8g 5y12 73 669 3wball 81 5ird 5oar 8d 4drop 4fall 5lak 8e 4hite 4man1 6ss 4shoe 5tor 4whit 8e 2uffles 3ggles 81
3smumrik 1oboleva 3riety 2ccer01 79 610 71 72 83 73 74 75 76 77 78 79 620 71 72 73 633 669 677 699 3hi2014 3rates
2faking 3tball 81 4core 4tail 4ware 2jdlg123aljg 2kolova 3rates 2ldier1 7s 3idsna 8ke 4tair 6ri 5ude 3nishko 4yshko
3omon1 3stice 3ution 8s 2mbrero 3ebody 4rset 4thin 8g 91 5ime 8s 2ndheim 3echka 3gbird 4line 4ohan 3ic123 5593
3nenschein 4yboy 3ofgod 5sam 3shine 3y1234 4ericsson 4fuck 4sony 4vaio 2oners1 2phie01 612 6h6 3ranos 2rcerer 3dfish
3eilly 3okina 3presa 3rento 2so123aljg 2uleater 4mate 3ndman 5wav 3schef 3thbay 5end 6rn 5par 8k 7w 5sid 8e 5wes 8t
2vereig 8n 1pace199 5bal 7r 6oy 5jam 5man 3getti 4hett 8i 3lding 3m967888 4spam 3niard 4king 5me1 4ner1 7s 3rhawk 4kle1
7s 5plu 5y01 611 72 669 699 4row1 7s 4tacu 8s 6k1 8922 6n1 81 97 7s 5icu 3wn666 2eaker1 7s 4rman 3cboot 4ial1 77 7i
8nsta 8st 7k 7p 7s 4tre1 6um 4ulum 3eding 5rac 5ster 5way 3lling 3ncer1 72 75 3sional 2ider10 72 6ma 8n 91 93 3ke123
3nnake 5ers 5ing 3onkop 3ritus 3tfire 2latter 3endid 6or 3inter 4tter 2ongebo 8b 3onman 3rt123 5age 5ing 5sca 6men 6te
8r 3tligh 2rewell 3ing00 612 699 6er 6field 6st 8een 5kle 5ter 4tzer 3ocket 2urrier 4s123 3tnik1 2yglass 1qloledb
2uadron 3eaker 5ler 4rting 3iggle 4rrel 5ter 6le 1r20dett 2awrats 2ilanka 3nivas 1s6z2sw6lu 2bt8ae2 2ptx452 2sssss1
2vegeta 1tafford 3inless 4rway 3lingr 8ad 4ker1 823 72 4lion 5one 3mford 4pede 3ndard 7t 5ing 5rew 4ford 4hope 4isla 8v
4ley1 72 4them 3ples1 3r1234 46767 4base 5uck 8s 6g1 6rs 4chil 5raf 8t 92 4dust 4fire 6sh 5lee 8t 5uck 6ry 4gate 6ze 8r
5irl 4ligh 8t 6ne 7g 6te 4scream 5hin 7p 5tar 4t123 5ing 5now 5rek 81 4war1 7s 81 923 83 5ood 3s1992 3tion1 72 5stika
3uffer 3yrude 2ealth1 4m181 5boa 8t 5forums 3eler1 7s 81 5hea 5man 3fania 7e 3inway 3lla12 5ina 3panov 8a 5shka 4h123
5ane 7i 8e 91 7y 5en1 72 7s 4side 3rling 4oids 3ve121 73 5ns1 7o 3wart1 2george 2hgrtst 2ickboy 5daddy77 5man 3ffler
3gmata 3letto 4lers 5her 3morol 3nger1 7s 5ray 4ker1 5yfinger 3rling 3tches 2ockcar 5hol 8m 5ing 8s 5por 5ton 3kecit
4rotka 3matolog 3necol 8d 5henge 5man 5wal 8l 3oges3 3ppedb 8y 3rm123 5bri 2piliot 2r8edge 3aight 4nge1 7r 6le 5nik
4tcat 5egy 5for 5man 5oca 8ster 5ton 5us1 4wber 8ry 4ycat 3eaker 5ming 4etball 4koza 4ngth 4ssed 3ider1 4ker1 7s 4nger
4p4me 5club 5ped 7r 8s 3oller 4ngbo 6er 6hold 3uctur 4ggle 4mmer 4tter 2thomas 2udent1 7s 4io54 6works 4muff 8in 3ffing
3nner1 4tman 3pid12 3rgeon 3ttgar 8t 1ublime1 3marin 8e 4issi 3scriber 4pace 3urban 3woofer 3zero1 2ccess1 72 77 4ubus
3kcock 4dick 4er69 4fuck 4it69 4me69 6off 5y1k 6co 8ck 6di 8c 9k 4this 2dhakar 2ffering 2garbea 8r 5dog 5ray 2icidal
3koden 3tcase 2leiman 3livan 2mitomo 3mer00 71 72 73 74 75 76 77 78 79 610 71 72 73 620 72 669 698 79 6ti 8me 4oner
2nbanna 4urst 3dance 5ypunch 4erla 8nd 5vil 3flowe 8r 91 3ghile 4lasses 3light 3ny123 5boy 5day 5sid 3rise1 3sh1ne 5in1
7e 81 869 2p3rman 3er123 5412 5bad 6ee 6ik 6ob 7w 8l 7y 5cal 7r 7t 6oo 7p 5dav 8e 6og 6ude 7p 8er 7t 5fly 6re 5gir 8l
5hero 5ior 5jet 5ma1 7c 7n 81 92 a3 82 8boy 7r 8io 7x 6en 6od 7m 5natural 6ov 8a 5power 6uper 5sex 6on 8ic 6ta 8r 7r
5ted 6ra 5use 5visor 3port1 2rabaya 3eno13 4shot 3fboar 8d 4city 4er69 4ing1 4side 3prise 3rende 4ound 3veyor 4ival 6or
2sanne1 3pende 3tanon 3ubaby 2tvsc5ysaa 2zanne1 1vensps820 3ta123 5sveta 4lana 7ka 4o4ka 2tcobra 1wallows 3mpfox 3nsong
3tteam 2eet123 5666 5ass 5boy 5dream as 5girl 5hea 8r 9t 5ie1 7pie 7s 5man 5nes 8s 5pea 6us 8sy 5u70 3tlana 2imbike
4mer1 5ing 3nger1 7s 5ing 3ssair 3tcher 2ord123 5fis 8h 5sma 1ycamore 2dney12 2lvania 4este 8r 4iahans 2mantec 3metry
3pathy 4hony 2ncmast 8er 3dicat 8e 4rome 2racuse 2s64738 3admin 3tem12 632 658 6ofadown 0t1234567 134vfrc1991 2fkvkmj
15r4e3w2q1 1abaluga 3bycat 3le54781 5top 3ryant 3uretka 2cobell 3tical 2dmichaels 3pole1 2ekwond 8o 2ganrog 3heuer
2ilgate 4hook 2jmahal 2kamine 4yuki 3e8422 4care 4down 4five 4hana 4that 2lavera 3ented 3iesin 4sker 5man 3ktome 3lulah
3onesi 2merlan 3pabay 4lier 3wsn3sja 2nechka 4lorn 3gerin 8e 4o123 3lines 3nenbau 3staaf 3ushka 3ya123 4shka 3zania
2pestry 2rantino 6ul 8a 4sova 4tata 3heel1 7s 3ragon 2sha123 4kent 3mania 3sadar 2tarstan 3ertot 3iana1 3ooine 2ylor01
610 71 72 6ma 8de 2zdevil 3mania 1cglyued 1deir8b2 2fqugl5 3yutkbjy 1eacher1 72 7s 5ing 3mlosi 4omuch 4ster 4work 3party
3rdrop 2chdeck 4n9ne 5ica 8l 7i 8an 7s 6ques 5olo 8gy 3ktonik 3umseh 2ddy123 5bea 8r 7er 2enager 4fuck 4girl 4love 4slut
2iubesc 2lecast 8er 5om1 4fon1 7e 7o 6on 4grap 4mark 4phon 8e 5ort 4scop 4visi 8on 6zor 3lurid 2ma1234 3itope 3p1234
4est1 4lar1 6te 4oral 7r 8y 4pass 8word 4tress 2ndulkar 3erife 3nesse 8e 4is01 611 72 622 3orsax 3tacle 2quiero 5la1 6la
2resita 3minal 7t 8o 9r 6us 3orist 3rance 6ova 5pin 4ell1 5nce 4ible 5ers 5fic 4orist 4y123 2st1234 4ament 4drive 4erer
4ibil 5cle 5ng1 823 72 4pass 4test 4user 2ufelo7 2xas123 5boy 3tbook 1gbxtcrbq 2kbxfgy 1haddeus 3iland 3natos 4kful 5god
5you 3tcher 2ebeach 6rs 6st 6tl 8es 4lack 5ues 4rain 3cakeisalie 4hamp 4lash 5own 4ount 4ure1 3devil 4oors 4ream 4ude1
3flash 4orce 3game1 4host 4irls 4reat 81 6ek 3joker 3killer 5ng1 5wi1 3last1 3man22 5ste 8r 5tri 8x 3odora 7e 4logy
3power 3raven 4esa1 4iver 4ock1 7s 3saint 4impsons 6s2 73 4mith 4nake 4pian 4tone 3tachi 4ford 4hing 4ruth 3world
2ibault 3cknes 3nkbig 5ing 5pad 4line 3rdeye 4teen 813 3sisit 6me 4suck 8s 2omas01 610 71 72 83 73 79 621 4pson 3r5200
4adin 4nton 4sten 3ughts 4sand 2rasher 3eeday 5pio 5som 8e 4sher 3iller 3oatfuck 4bber 4ttle 3uster 2ug4life 4life 5ove
4stools 3mbnils 4per1 72 3nder0 71 82 72 73 75 76 77 79 7b 8ird 7c 8at 7s 3rsday 5ton 2vfrjdf 1iberian 6um 7s 3uron1
2cketmaster 4leme 5ing 6sh 4tock 2ffanie 6y1 72 7s 2ger123 5200 5boy 5cat 5eye 5fan 5lil 5man 5paw 5s01 611 72 5tig 8er
5woo 8ds 3ger01 610 71 72 73 622 669 699 3htass 5end 3renok 2ktonik 2mberla 8ke 8nd 6wo 8lf 4uktu 3ebomb 4less 5ine 5ord
4pass 5ort 4warp 4zone 3my123 3ofeeva 4shka 4thy1 72 4xa94 2nchair 4ouch 3floor 3horse 3kerbe 8l 9l 3mouse 3table 3uviel
2ppmann 2ramisu 3ibon12 2tanic1 6um 3leist 4over 3mouse 3snass 1kachenko 2bpfdtnf 1lbyjhju 1m371855 2jxn151 1oadfrog
3sters 2blerone 2diefor 2enails 2gether 2kenbad 3iohotel 2lkien1 2mahawk 4toes 3braid 8er 4ston 8e 3cat14 4ruis 3jerry
4ones 3my123 5boy 5cat 5gun 5lee 3orrow 3petty 4kins 3servo 3waits 2nyhawk 4tony 2olman1 4shed 4time 5ool 3narmy 4porn
4town 3short 4weet 3thpic 4sie1 2pdevice 3flite 3notch 3olino 3pdogg 3secre 8t 4helf 3totty 2reador 3iamos 3nado1 7s
3onto1 3pedo1 3rance 4ente 7s 3tilla 4oise 2shiba1 2talwar 3enkopf 3hetop 3tenha 8m 91 2uchdow 8n 5ing 3ghguy 3louse
3toune 2wnsend 3truck 2xicity 2yota91 3story 1r2amp25 2acker1 5sta 4tor1 7s 4y123 3deman 5r12 3falga 4fic1 5ord 3iler1
7s 4ning 5man 3nmere 4nies 4quil 4salp 6m1 5cend 5exual 5fer 6or 8mer bs 5its 5lator 5por 8t 3pdoor 3shcan 5man 3veler
6le 8r 5sti 4ieso 4olta 3xdata 2easure 3efrog 4hous 8e 4tops 5ree 3k5200 4bike 4star 3mblay 4endo 3spass 2fnthby 8f
2iangle 4thlo 8n 3bbles 4unal 3ckste 8r 4olor 3dent1 3force 3gger1 72 3llian 6on 6um 3m7gun 3nidad 5tro 8n 6y1 73 77
3plets 4ping 3stan1 5ram 3umph1 2ojans1 3mbone 4pete 3oper1 72 7s 3pical 7na 3tter1 7s 3uble1 72 7s 4sers 4tbum 5man
2rim777 2ucker1 7s 5ing 5man 3eblue 4grit 4lies 5ove 3ffles 3jillo 3mpet1 7s 3skawka 4ting 5n01 6o1 7o 8ne 2yagain
1speter1 2unami1 1ttttt99 6t1 1u190022 2bitzen 2czno18 2esday1 72 2ffgong 2jazopi 3heirf 2mmybed 2nafish 3gdom6
2pacshakur 3pence 2rambar 4ndot 3bo911 5dog 3key50 3nbull 4tabl 8e 3toise 1vmarcia 2xtjk7r 1welve12 3nty20 6on 2ilight
3nboys 4kies 5les 4peaks 4star 4turb 3sted1 6rs 3zzler 2ogirls 3three 1yler123 5ca310 2phoon1 2rik123 2son123 1zeentch
0u4slpwra 1aeuaeman 1blhjgjybrf 2nkthrfgen 2vyfcnbrf 5pbz 1ekmyfhf 1fdibyjd 2gyndmv 2hhbgjnnth 3vjybz 2kfrnbrf 3xjyjr
1hbujhbq 2fdbwfgf 2tqneyu 3vkby17 1iegu451 1jhjl312 2kjdjkjvrf 2yxfhjdf 1kflbfnjh 5jkec 2qmwhj6 1ltimate 7um 3ra123
5cash 5man 1mbrella 2isushi 2magumma 1n4given 2b4g9ty 3elievable 2cencored 3lebob 5sam 2derage 5cover 5dog 5gro 8un ad
5hil 5net 5par 5stand 5tak 8e 9r 6ow 5wat 8er 6ea 8r 6oo 7r 8ld 2forgiv 8en 2icorn1 7s 3queness 3ted99 3versa 8l 7e 7i
8dad 8ty 2known1 2leashed 3imite 8d 2titled 1p9x8rww 2theass 2yachka 1rlacher 2sitesux 1ser1122 4execute 4mane 4name
4pass 3this1 2marine 3c0311 41775 2uckballz1 1tahjazz 2hvfybz 2juhfabz 3vtnhbz 2o29321 2yyflbq 6mtdyf 1uuuuuu1 1vmrysez
1xmdzi4o 0v123456789 1acances 4tion 2der123 3im1995 86 2ffanculo 2gabond 2kantie 2ldemar 5pen 3encia 5tin 8a 8e 8ka 8o
4ra123 5ia1 7n 6e1 6ya 4tudo 3halla 3iant1 4date 3kiria 4yrie 3larta 4eywa 2mpire1 7s 2nburen 3couve 8r 3damme 4read
3echka 4ssa1 3gelis 4uard 3halen 3illa1 3quish 3yarespekt 2radero 3iable 2seline 3ileva 5ina 6sa 7k 2toloco 2uxhall
2z21074 683 693 79 1bhjckfd 8f 4h123 4ndjhtw 4yjdf 2itymrf 2nhjafy 1egas123 5man 3etabl 2hpbkrf 3vfycr 2locity 4siped
2ndetta 3etian 4zuel 8a 3geance 5nce 3om121293 73 5ous 3tura1 6e1 2psrfyn 2racruz 3batim 4oten 3gesse 5ten 3itas1 5ech
4zon1 3mont1 3ochka 4nica 6ka 6qu 8e 3sace1 3tical 3ycool 4good 8bot 4much 4nice 4sexy 2spa123 4ucci 3uvius 2tteman
1fhbfyyf 4yfvfhbyf 5jxrf 4z007 3ecmrf 3nsirf 5yjdf 3ufhbnf 8rf 3vtkfl 8rf 3xtyrj 2iekmrf 3f1986 3tymrf 2kmdbyf 3tymrfz
2lfufcrfh 2nbkmlf 3hjcrby 3tvfnbrf 2pfafrf 2rcbv123 6ec 7v 6jd 8f 6rf 6tyrj 6vfrcbv 3fhjdf 6ys 2uyjkbz 2vekbxrf 5mrf
5txrf 3f2011 4bgfgf 4gfgf 8123 8z 4ktyf 4nfyz 4vskfhfve 3jxrf1 2ylfhby 8rf 3xtcnth 1g08k714 2y78uhb 1ibrator 2cecity
4lord 3ious1 3toire 5ria 81 7ya 6y1 77 2daloca 3eogam 5man 2ewsoni 8c 2ggen37 3ilant 2ka1234 85 5995 76 78 42010 71
3ings1 72 3toria 7ja 7y 8a 2llegas 5neuve 5valo 2nbylrj 3cent1 7e 6zo 3diesel 3eyard 3icius 3ograd 8ov 3tage1 4elok
2olator 4ence 6tj 5tta 7e 2per123 5gts 5man 2rgilio 5nia 7e 3tuagirl 5oso 2scount 3henka 3igoth 4onar 4ting 2talik1 823
6na 5ogy 4mine 3toria 7o 2vahate 3ienne 4tron 1jhjpjdf 3rjdrf 2njhjkf 2qfyutk 3gfhjkm 2zctvmz 3gjxnf 1kfwx046 2ontakte
1lad1234 5994 75 76 77 78 42010 71 47788 4imir 81 8ovna 5slav 9a 5vostok 4vlad 1mdnygfu 1odafone 2ldemar 6or 3gograd
3ition 3kodav 4swag 8en 3leyba 8ll 3taire 3untee 8r 3vo240 5850 5fh12 5s40 660 680 5v70 2nnegut 3sclan 2odoo22 669
3rhees 2ronina 5ova 2va12345 5992 74 4n_lt 3ochka 2xstrange 2yager1 72 76 77 1qsablpzla 1re2nc3z 1sevolod 2jasnel12
1thctltc 3okies 3rehbq 2lbwbyf 3dtltd 2nhj2033 2ufgjkbc 1urdf5i2 1w198m2n 2passat 1yjujnjxbt 0w1234567 2408776w 2w2w3w4
8w5 12dlww3v5p 13e4r5t6 174156900 18gkz2x1 1achovia 4twoord 2ffenss 2goneer 2heguru 2keboar 2ldemar 3halla 3kman555
3lace1 72 4eye1 4pape 4stre 8et 3ter34 2mozart 2nderer 3nasee 3tsome 2papapa 3bbs_1 2r3demo 3atsea 3child 4raft 81 83
3eagle 4hous 8e 3games 3hamer 6me 8r 940k 5wks 4orse 3lock1 5rd1 7s 3ranty 4ior1 72 73 76 7s 3spite 4zawa 3tburg 2s.here
3dwasd 81 3hburn 4ingt 8o 9n 2tchdog 5ers 5ing 5man 6en 5out 3er123 5bed 6oy 5fal 8l 9s 5loo 5man 6el 8on 5pol 8o 5ski
2vmanuk 2yfarer 3lande 2zzkaprivet 1cksdypk 2rfxtvgbjy 1dtnjxtr 1eakness 3re138 3ther1 2bhompas 9s 3maste 8r 3sol76
6utions csu 4ter1 7s 3uivalidat 2dding1 3nesda 8y 2edhead 3tabix 2ihnachte an 9sbau dm 3nberg 2jrpfpu 2lcome0 81 71 82
93 72 74 75 77 78 7s 3kom01 3lcome 4done 4hung 4ingt 8on 4ness 3shman 2nef45313 2rewolf 3onika 3t1234 4hvfy 4y123 845
2ssonnn 3t1234 4brom 4coas 8t 4ern1 4fiel 4gate 4ham1 4lake 5ife 4over 4poin 6rt 4side 81 4ward 5ind 7g 5ood 2thepeople
3lands 3pussy 3willy 4orks 2ymouth 1g8e3wjf 1harfrat 3tever 81 4isit 4luck 4thef 8uck 7h 8ell 4what 2eaties 3eling
3never 2iplash 3rling 3skers 6y1 4per1 4tler 3taker 4eboy 5cat 5dog 5hea 5man 5out 5power 5sox 6ta 5tai 8l 5wol 8f 4lock
4ney1 4tier 2oareyo 8u 3cares 3daman 3knows 3lesale 3opass 3ppers 3syourdaddy 2ynotme 3tesha 1ideglid 4open 4spre 8ad
2fey200 2kinger 3toria 2ldbill 5lue 4card 6t1 77 7s 5hil 4fire 4life 4man1 4roid 6se 4side 5tar 4thin 8g 4west 5ood
3kinso 3liam0 71 72 73 74 76 77 78 7j 7m 7s 81 5e12 4ow01 4y123 5boy 3shire 2mbledon 2nchest 8er 3dmill 4ows1 72 79
4song 6r1 5tar 5urf 4ward 3field 3gchun 4tsun 4zero 3ifred 3ner12 669 4ipeg 8261 3ston1 72 73 76 79 7one 7s 3ter00 71 77
79 611 72 73 698 79 6mu 4hrop 3xclub 2reless 2sconsi 8n 3hbone 4master 3teria 2thlove 4nail 2zard12 6ry 1ladimir 2tfg4ta
1megrfux 1nmaz7sd 1olfgang 4man1 4pack 4wolf 3verin 8e 9s 2mersle 2nderbo 8y 7r 6fu 8l 6la 8nd 6wa 8ll 7o 8man 3kette
2odbine 6rd 5ury 4chuc 5ock 4door 5uck 4fish 5ord 4land 6wn 4pony 4ruff 4side 6nk 5toc 8k 4ward 5ind 5ork 4y123 3fwoof
2rdlife 4pass 81 3khard 4ing1 4shop 5uck 3ld123 5com 6up 5net 5war 6id 8e 3mhole 4wood 3r3619 2w12345 3look1 1p2003wp
2oolejr 1rangler 2est666 5le1 7r 6in 8g 91 3tched 2inkle1 75 7s 3terspace 2ongway 1sbadmin 1tpmjgda 2sfjmi7 1utang36
1wr8x9pu 2wooo1234 3wwww1 0x002tp00 1123456x 14ww5qdr 172jhhu3z 1access2 2kep1234 1boxlive 1calibur 3t_xca 2ountry
1ehrf2011 2nocide 4gear 4phon 2xeylhf 1iaoyua123 1ohzi3g4 1pressmusic 1svnd4b2 2w21qaz 43edc 4zaq1 1thtgfirf 2utdfhf
1ufrgemw 1xx12345 3p455w0rd5 3xxxx1 1yh28af4 1zsawq21 0yaglasph 2maha12 6r1 76 4kasi 4moto 2nkee23 6mp 6s0 71 72 83 73
74 77 79 3ochka 3shi1982 2rdbird 3oslav 2sacrac 3uhiro 1brbnbyf 5f_25 5jcbr 3jkfq1 6td 8bx 8f 8yf 1cwvrxxh 1eahbaby
4righ 8t 4yeah 3r2000 75 2lena03 3low12 622 2s90125 3please 3songs 3terda 8y 3yesye 1fcnfcmz 4hjtybt 4tymrf 4z123 5vjz
5yfcnz 2dbufnjh 2eiybrb 2gjktjy 2hrjnbrb 5vfy 2ltymrf 2nfitymrf 2xfkmybr 1gfxbkgt 2gdrasi 1ingyang 1jdbrjdf 3jcnbf
3sqgfhjkm 5ujl 3ujhjl 2hbkmcr 1m3cautj 1odayoda 2gibear 2kohama 4suka 2landa1 2rkshir 8e 4town 2semite 3himitsu 2uandme
3gotit 3ngman 5one 3rmama 5om1 4name 4self 3suck1 1qlgr667 2mbevgk 1r8wdxcq 1tdxz2ca 2ngfhjkz 3hjufnm 2rewq11 3hjvfyn
2yfdbcnm 1uitre12 2jyd360 1vtte545 1xkck878 1y5rbfsc 2yyyyy1 1zerman1 0z1234567 889 7z 2x2c3v4 8b5 an6 cm7 2z2z3z4
13cn2erv 1acharia 6y1 2harova 2nzibar 2phod42 2q!2wsx 311qaz 42345 6wsx 5qaz 5wsx 8cde3 4xsw2 8cde3 3wsx123 6cde 9rfv
3xsw123 6cde 2ragoza 4tustra 2sranec 2xscdvf 1cfvfzkexifz 2gihlke 2xfcnkbdf az 1ebra123 2manova 2nit2011 2ppelin 2rgling
3ocool 4hour 4zero 2syrmvu 2xts364325 1heng2568 2jckfdf 2ongguo 1idane10 2gazaga 3gy123 5dog 2ldjian 2mbabwe 3merma 8n
2nedine 2pdrive 3po123 4y123 1jses9evpa 1ldej102 1mpimeje 1oidberg 2lushka 82 2mbie13 2omzoom 3tsuit 2rro123 1pflhjn1
1qjphsyf6ctifgu 1rjdktdf 1se45rdx 4xdr5 3cyus56 1ucchero 1willing 2t2sbzl 1x123456 8789 2asqw12 2c12345 86 6qwe 6zxc
3asd123 6qw 8e 9123 3qweasd 3v1234 44321 4asdf 4b123 84 95 5asdfg 5n12 83 9456 63215 6m. 71 82 93 a4 b56789 7a 7m
8nbvcxz 7z 4fdsa 4qwer 4vcxz 1z123456 28807zpl 2xxccvv 2zxxxccc 3zxxxx 4zzz1
`;
